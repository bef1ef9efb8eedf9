"""Every method against its closed form."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from sightline.core.errors import SettingsError, UnknownNameError
from sightline.explaining import attending, cams, covering, gradients
from sightline.explaining.exciting import excite
from sightline.explaining.methods import METHODS, maps, method
from sightline.explaining.recorder import recording
from sightline.models import vit
from tests.explaining.subjects import Linear, Patch, Pooled, bright, pictures, subject, view_of

PLACE = (slice(4, 12), slice(18, 26))


def test_integrated_gradients_of_a_linear_network_are_its_weights_times_the_way() -> None:
    network = Linear((24, 24), 3, 3)
    view = view_of(network, pictures(4))
    found = gradients.shares(view, steps=2)
    for row, answer in enumerate(view.answers):
        weight = network.weight[view.subject.facts.names.index(answer.best)].detach().numpy() / 1e4  # type: ignore[attr-defined]
        wanted = weight * (view.arrays["image"][row].astype(np.float32) - 127.5)
        assert found[row] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_integrated_gradients_are_complete(dtype: str) -> None:
    """All shares together are the difference between the picture and nothing."""

    class Bent(Pooled):
        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            top = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}[dtype]
            return super().forward(image.float() * (2550 / top))

    network = Bent()
    view = view_of(network, pictures(5, dtype=dtype), dtype=dtype)
    found = gradients.shares(view).sum((1, 2, 3))
    empty = np.broadcast_to(view.plain, view.arrays["image"].shape)
    for row in range(5):
        place = view.subject.facts.names.index(view.question(row).words)
        ends = [
            network(torch.from_numpy(each[row : row + 1].astype(np.float32)))["logits"][0, place].item()
            for each in (view.arrays["image"], empty)
        ]
        assert found[row] == pytest.approx(ends[0] - ends[1], abs=2e-3 * abs(ends[0]) + 1e-4)


def test_gradcam_of_a_pooled_network_is_cam() -> None:
    network = Pooled()
    view = view_of(network, pictures(4))
    made = network.maps(torch.from_numpy(view.arrays["image"]))
    for row, found in enumerate(cams.gradcam(view)):
        name = view.subject.facts.names.index(view.question(row).words)
        wanted = (network.head.weight[name][:, None, None] * made[row]).sum(0).clamp(min=0) / made[0, 0].numel()
        grown = functional.interpolate(wanted[None, None], (24, 24), mode="bilinear", align_corners=False)[0, 0]
        assert found == pytest.approx(grown.detach().numpy(), abs=1e-6)


def test_a_layer_may_be_named_and_one_that_is_not_there_is_said() -> None:
    view = view_of(Pooled(), pictures(2))
    plain = cams.gradcam(view, layer="conv")
    assert plain.shape == (2, 24, 24)
    assert not np.allclose(plain, cams.gradcam(view)), "before the curve, not after it"
    with pytest.raises(SettingsError, match=r"no layer 'cnv' that gives maps. Did you mean 'conv'"):
        maps("gradcam", view, layer="cnv")
    with pytest.raises(SettingsError, match="is not of one layer"):
        maps("integrated", view, layer="conv")


def test_gradcam_weighs_each_feature_as_a_whole() -> None:
    rng = np.random.default_rng(1)
    made, slope = rng.random((2, 3, 4, 4)), rng.normal(size=(2, 3, 4, 4))
    found = cams.weighed(torch.from_numpy(made), torch.from_numpy(slope)).numpy()
    wanted = np.einsum("rc,rcij->rij", slope.mean((2, 3)), made)
    assert found == pytest.approx(np.maximum(wanted, 0))


def test_gradcam_plus_by_hand() -> None:
    rng = np.random.default_rng(1)
    made, slope = rng.random((2, 3, 4, 4)), rng.normal(size=(2, 3, 4, 4))
    found = cams.weighed_plus(torch.from_numpy(made), torch.from_numpy(slope)).numpy()
    wanted = np.zeros((2, 4, 4))
    for row in range(2):
        for feature in range(3):
            total = sum(made[row, feature, a, b] * slope[row, feature, a, b] ** 3 for a in range(4) for b in range(4))
            weight = 0.0
            for a in range(4):
                for b in range(4):
                    one = slope[row, feature, a, b]
                    weight += one**2 / (2 * one**2 + total) * max(one, 0)
            wanted[row] += weight * made[row, feature]
    assert found == pytest.approx(np.maximum(wanted, 0))


def test_layercam_weighs_each_place_by_itself() -> None:
    network = Pooled()
    view = view_of(network, pictures(2))
    made = network.maps(torch.from_numpy(view.arrays["image"]))
    name = view.subject.facts.names.index(view.question(0).words)
    one = (network.head.weight[name].clamp(min=0)[:, None, None] * made[0]).sum(0).clamp(min=0)
    grown = (
        functional.interpolate(one[None, None], (24, 24), mode="bilinear", align_corners=False)[0, 0].detach().numpy()
    )
    assert cams.layercam(view)[0] == pytest.approx(grown / grown.max(), abs=1e-5)


def test_rollout_is_the_product_of_halved_attention() -> None:
    rng = np.random.default_rng(2)
    first, second = (torch.from_numpy(rng.random((1, 2, 4, 4))).softmax(-1) for _ in range(2))
    one, two = ((layer.mean(1)[0].numpy() + np.eye(4)) / 2 for layer in (first, second))
    assert attending.rolled([first, second])[0].numpy() == pytest.approx(two @ one)


def _attending(naive: bool) -> torch.nn.Module:
    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(5)
            self.body = vit.build(3, size="t/4", depth=2, naive=naive)
            for weight in self.body.parameters():
                torch.nn.init.normal_(weight, std=0.3)
            self.head = torch.nn.Linear(192, 3)

        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.head(self.body(image.float().movedim(-1, 1) / 255)[-1].mean((2, 3)))}

    return Whole()


def test_attention_is_seen_fused_or_written_out() -> None:
    fused, written = (view_of(_attending(naive), pictures(2)) for naive in (False, True))
    found = attending.rollout(fused)
    assert found == pytest.approx(attending.rollout(written), abs=1e-5)
    network = fused.subject.network
    seen = []
    for block in network.body.blocks:
        block.mixer.register_forward_pre_hook(lambda module, given: seen.append((module, given[0])))
    network(torch.from_numpy(fused.arrays["image"]))
    layers = []
    for module, x in seen:
        query, key, _ = (part.reshape(2, 36, 3, 64).transpose(1, 2) for part in module.enter(x).chunk(3, 2))
        layers.append(((query @ key.transpose(-2, -1)) / 8).softmax(-1))
    wanted = attending.rolled(layers).mean(1).reshape(2, 6, 6)
    assert found == pytest.approx(cams.grown(wanted, (24, 24)), abs=1e-5)


def test_attention_before_a_coarser_level_is_followed_through_both() -> None:
    """Uniform attention looks everywhere alike, on every level."""

    class Two(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            tokens = image.new_zeros((len(image), 1, 36, 4), dtype=torch.float32)
            functional.scaled_dot_product_attention(tokens, tokens, tokens)
            coarse = tokens[:, :, :9]
            functional.scaled_dot_product_attention(coarse, coarse, coarse)
            return {"logits": image.float().mean((1, 2)) / 255}

    found = attending.rollout(view_of(Two(), pictures(2)))
    assert found == pytest.approx(np.full((2, 24, 24), found[0, 0, 0]), rel=1e-5)


def test_tokens_find_their_grid() -> None:
    assert attending.grid(36, (24, 24)) == (0, 6, 6)
    assert attending.grid(197, (224, 224)) == (1, 14, 14)
    assert attending.grid(201, (224, 224)) == (5, 14, 14)
    assert attending.grid(32, (64, 128)) == (0, 4, 8)
    with pytest.raises(SettingsError, match="do not lie on a grid"):
        attending.grid(99, (224, 224))


def test_without_attention_rollout_is_refused() -> None:
    with pytest.raises(SettingsError, match="no attention"):
        maps("rollout", view_of(Pooled(), pictures(1)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_occlusion_finds_the_only_place_that_matters_without_a_network(dtype: str) -> None:
    top = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}[dtype]
    whole = subject(Patch(PLACE, top), (32, 32), names=("a", "b"), dtype=dtype)
    view = type(whole)(whole.task, whole.facts, whole.passes).look(bright(3, PLACE, dtype=dtype))
    for found in covering.occlusion(view):
        inside = np.zeros((32, 32), bool)
        inside[PLACE] = True
        assert inside[np.unravel_index(found.argmax(), found.shape)]
        assert found[20:, :10].max() < 1e-6
    with pytest.raises(SettingsError, match="needs the network in torch"):
        maps("gradcam", view)


def test_windows_cover_every_pixel() -> None:
    covered = np.zeros((32, 48))
    for window in covering.places((32, 48)):
        covered[window] += 1
    assert covered.min() >= 1
    assert covered.max() <= 4


def test_smoothed_gradients_lie_where_the_answer_hangs_on() -> None:
    view = view_of(Patch(PLACE, 255.0), bright(2, PLACE), size=(32, 32), names=("a", "b"))
    found = maps("smoothed", view)
    inside = np.zeros((32, 32), bool)
    inside[PLACE] = True
    assert (found * inside).sum((1, 2)) / found.sum((1, 2)) == pytest.approx(1, abs=0.2)


def test_every_method_gives_a_finite_map_a_row_or_says_why_not() -> None:
    view = view_of(Pooled(), pictures(2))
    for name in METHODS:
        if name != "rollout":
            found = maps(name, view)
            assert found.shape == (2, 24, 24)
            assert np.isfinite(found).all()
            assert (found >= 0).all()
            assert found.any(), name
    with pytest.raises(UnknownNameError, match=r"no method is called 'gradcan'. Did you mean 'gradcam'"):
        method("gradcan")


def test_what_a_network_does_between_layers_is_recorded_and_nothing_stays_hooked() -> None:
    network = Pooled()
    with recording(network, 2, (24, 24)) as record:
        network(torch.zeros(2, 24, 24, 3))
    assert [tuple(made.shape) for made in record.maps] == [(2, 5, 12, 12)] * 2
    assert torch.equal(record.maps[1], functional.silu(record.maps[0]))
    assert not network.conv._forward_hooks


def test_a_picture_made_to_excite_excites() -> None:
    network = Pooled()
    view = view_of(network, pictures(1))
    made = excite(view, lambda record, outputs: outputs["logits"][range(3), range(3)], 3, steps=30)
    assert made.shape == (3, 24, 24, 3)
    assert made.dtype == np.uint8
    noise = np.stack([sample.pixels() for sample in pictures(3)])
    with torch.no_grad():
        after, before = (network(torch.from_numpy(each))["logits"].numpy() for each in (made, noise))
    assert (np.diag(after) > np.diag(before)).all()
