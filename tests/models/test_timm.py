"""The door to timm: what it says without the library, and what comes through where it is installed."""

import importlib.util

import pytest
import torch

from sightline.core import catalog
from sightline.core.errors import MissingExtraError, SettingsError, UnknownNameError
from sightline.core.extras import EXTRA_OF
from sightline.testing.without import run_without

HERE = importlib.util.find_spec("timm") is not None


def test_a_door_needs_a_name() -> None:
    with pytest.raises(SettingsError, match="timm:resnet18"):
        catalog.find("models", "timm").build(3)


def test_without_the_library_one_line_says_what_to_install() -> None:
    code = (
        "from sightline.core import catalog\n"
        "from sightline.core.errors import MissingExtraError\n"
        "try:\n    catalog.find('models', 'timm:resnet18')\n"
        "except (MissingExtraError, ModuleNotFoundError) as error:\n    print(type(error).__name__, error)\n"
    )
    said = run_without(("timm",), code)
    assert "timm" in said
    if "timm" in EXTRA_OF:
        assert said.startswith(MissingExtraError.__name__)
        assert "sightline[zoo]" in said


if HERE:

    @pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_050"])
    @pytest.mark.parametrize("channels", [1, 3, 5])
    def test_a_pyramid_keeps_its_word(name: str, channels: int) -> None:
        network = catalog.find("models", f"timm:{name}").build(channels).eval()
        with torch.inference_mode():
            maps = network(torch.randn(2, channels, 64, 96))
        assert len(maps) == len(network.widths) == 4
        for map_, width, stride in zip(maps, network.widths, network.strides, strict=True):
            assert map_.shape == (2, width, 64 // stride, 96 // stride)

    @pytest.mark.parametrize(("name", "size"), [("resnet18", 11_689_512), ("vit_tiny_patch16_224", 5_717_416)])
    def test_a_whole_classifier_has_the_published_size(name: str, size: int) -> None:
        found = catalog.find("models", f"timm:{name}")
        assert found.GIVES == "logits"
        network = found.build(3, count=1000)
        assert sum(weight.numel() for weight in network.parameters()) == size

    def test_a_network_of_one_size_gets_pictures_of_that_size() -> None:
        found = catalog.find("models", "timm:vit_tiny_patch16_224")
        network = found.build(1, count=4).eval()
        with torch.inference_mode():
            assert network(torch.zeros(2, 1, 32, 48)).shape == (2, 4)
        with pytest.raises(SettingsError, match="224 x 224 only"):
            found.build(3)

    def test_unknown_names_and_tags_are_one_line() -> None:
        with pytest.raises(UnknownNameError, match=r"no architecture 'resnet81'.* Did you mean"):
            catalog.find("models", "timm:resnet81")
        with pytest.raises(UnknownNameError, match=r"no weights 'resnet18\.best'.* Known: resnet18\.a1_in1k"):
            catalog.find("models", "timm:resnet18.best")

    def test_weights_that_cannot_be_had_are_one_line_and_chance(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        found = catalog.find("models", "timm:resnet18.a1_in1k")
        with pytest.warns(UserWarning, match="no weights for timm:resnet18.a1_in1k, so it begins from chance"):
            network = found.build(3, count=5)
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 5)

    def test_weights_see_the_brightness_they_were_learnt_with() -> None:
        import timm

        card = timm.models.get_pretrained_cfg("resnet18.a1_in1k")
        scaled = catalog.find("models", "timm")._Scaled(None, card, 3)
        picture = torch.rand(1, 3, 4, 4)
        wanted = (picture - torch.tensor(card.mean).view(1, 3, 1, 1)) / torch.tensor(card.std).view(1, 3, 1, 1)
        assert torch.allclose(scaled((picture - 0.5) / 0.25), wanted, atol=1e-6)
