"""From requests through the engine to a verdict: every row of the log says its arm, and nothing leaks between arms."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sightline.core.errors import ServingError
from sightline.serving import arms
from sightline.serving.asking import Ask, Reply
from sightline.serving.prediction import answered, refused
from sightline.serving.predictions import open_predictions
from sightline.serving.standings import standings
from sightline.testing.bundles import picture
from tests.serving.shelf import Shelf, engine


def test_the_log_of_an_engine_tells_the_arms_apart(tmp_path: Path) -> None:
    async def work() -> None:
        shelf = Shelf(tmp_path)
        shelf.put(1, champion=True)
        shelf.put(2)
        shelf.promote(2, alias="challenger")
        split = arms.split({"champion": 1, "challenger": 1})
        shelf.shares["m"] = split.to_json()
        with open_predictions(tmp_path / "log.db", mode="durable") as log:

            def heard(ask: Ask, said: Reply | ServingError) -> None:
                row = answered(ask, said, shadow=True) if isinstance(said, Reply) else refused(ask, said, shadow=True)
                log.add(row)

            async with engine(shelf, workers=1) as made:
                made.shadow = heard
                for number in range(24):
                    ask = Ask("m", picture(30 + number), caller=f"c{number % 12}", request=f"r{number}")
                    assert await log.taken(answered(ask, await made.predict(ask), seconds=0.01))
                named = Ask("m", picture(90), "challenger", caller="c1", request="named")
                assert await log.taken(answered(named, await made.predict(named)))
                (found,) = standings(log, "m", split, {"champion": 1, "challenger": 2})
                rows = {row["request"]: row for row in log.rows("m")}
                drawn = {n: arms.assign(split, f"c{n % 12}", "").arm for n in range(24)}
                assert {n: rows[f"r{n}"]["arm"] for n in range(24)} == drawn
                assert {rows[f"r{n}"]["experiment"] for n in range(24)} == {split.experiment}
                assert {row["number"] for row in rows.values() if row["arm"] == "challenger"} == {2}
                assert rows["named"]["experiment"] == ""
                values = list(drawn.values())
                assert found.counts == (values.count("champion"), values.count("challenger"))
                shadowed = arms.shadow()
                shelf.shares["m"] = shadowed.to_json()
                shelf.turns += 1
                await made.refresh()
                ask = Ask("m", picture(40), caller="c1", request="seen")
                log.add(answered(ask, await made.predict(ask)))
                for _ in range(100):
                    await asyncio.sleep(0.02)
                    (found,) = standings(log, "m", shadowed)
                    if found.counts == (1, 1):
                        break
                assert (found.counts, found.same) == ((1, 1), (0, 1))  # they say v1 and v2
                error = None
                try:
                    await made.predict(Ask("m", picture(41), deadline=0.0, request="late"))
                except ServingError as caught:
                    error = caught
                assert error is not None
                assert (error.arm, error.experiment) == ("champion", shadowed.experiment)

    asyncio.run(work())
