"""What are people told, and how often?"""

from decimal import Decimal as D

from bot.domain.observation import Observation
from bot.domain.position import MarginMode
from bot.domain.venue import VenueCondition
from bot.errors import Unavailable
from bot.margin.assess import assess
from tests.kit.builders import a_position, an_instrument, an_observation
from tests.kit.loops import ENDANGERED, Rig


async def test_a_ban_is_told_once_and_told_again_when_there_is_another() -> None:
    rig = Rig(an_observation(a_position(margin="8000")))
    shut_out = VenueCondition(is_banned=True, ban="shut out with HTTP 418")
    for way in (shut_out, shut_out, VenueCondition(is_banned=True), shut_out):
        rig.venue.way = way
        rig.venue.failures = [Unavailable("asked to wait")]
        await rig.loop.poll()
    assert [alarm.code for alarm in rig.seen.alarms] == ["venue_banned", "venue_banned"]
    assert rig.seen.alarms[0].text == "shut out with HTTP 418"


async def test_a_ban_that_a_write_brings_is_told_at_once() -> None:
    rig = Rig(ENDANGERED)
    ban = VenueCondition(is_banned=True, ban="shut out with HTTP 418")
    rig.venue.on_send = lambda _: setattr(rig.venue, "way", ban)
    await rig.loop.poll()
    assert "venue_banned" in [alarm.code for alarm in rig.seen.alarms]


async def test_a_position_that_nothing_is_planned_for_is_told_once_while_that_lasts() -> None:
    cross = an_observation(a_position(margin="8000", margin_mode=MarginMode.CROSS))
    isolated = an_observation(a_position(margin="8000"))
    rig = Rig(cross)
    told = []
    for seen in (cross, cross, isolated, cross):
        rig.venue.observation = seen
        await rig.loop.poll()
        told.append([alarm.text for alarm in rig.seen.alarms if alarm.code == "unprotected"])
    text = "nothing is planned for BTC/USDT:USDT long: cross_margin"
    assert told == [[text], [text], [text], [text, text]]


async def test_a_poll_without_an_answer_says_nothing_new_of_who_is_unprotected() -> None:
    rig = Rig(an_observation(a_position(margin="8000", margin_mode=MarginMode.CROSS)))
    await rig.loop.poll()
    rig.venue.failures = [Unavailable("busy")]
    for _ in range(2):
        await rig.loop.poll()
    assert [a.code for a in rig.seen.alarms].count("unprotected") == 1


async def test_a_disputed_liquidation_price_is_told_once_when_it_lasts() -> None:
    ours = assess(a_position(margin="8000"), an_instrument()).liquidation_price
    assert ours is not None

    def shown(price: str | None, margin: str = "8000") -> Observation:
        return an_observation(a_position(margin=margin, venue_liquidation_price=price))

    agreed, off = shown(str(ours * D("1.0009"))), shown(str(ours * D("1.002")))
    unsaid, covered = shown(None), shown("10", margin="70000")
    rig, told = Rig(agreed), []
    for seen in (agreed, off, agreed, off, off, off, unsaid, unsaid, covered, covered):
        rig.venue.observation = seen
        await rig.loop.poll()
        told.append([a.code for a in rig.seen.alarms].count("liquidation_price_disputed"))
    assert told == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2]
    texts = [a.text for a in rig.seen.alarms if a.code == "liquidation_price_disputed"]
    assert texts[1].endswith(" is none by our rules, 10 by the venue: margin is not given back")


async def test_a_position_that_the_venue_tops_up_is_told_once() -> None:
    rig = Rig(an_observation(a_position(margin="20000", venue_adds_margin=True)))
    for _ in range(3):
        await rig.loop.poll()
    assert [alarm.code for alarm in rig.seen.alarms] == ["venue_adds_margin"]
