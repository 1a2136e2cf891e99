"""The delivery role on a real broker against a scripted portal: order, retries, parking, holds, folds, pauses."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from hub.admin.waiting_dossiers import waiting
from hub.connect.portal import Answer, Strategy
from hub.errors import Rejected, Retryable, StartError
from tests.support.delivery import until
from tests.support.delivery_fixture import bench  # noqa: F401

pytestmark = pytest.mark.broker


async def test_every_event_once_in_order_per_dossier_with_receipt_and_commit(bench):  # noqa: F811
    await bench.subscribe()
    which = [(number, seq) for seq in range(1, 7) for number in range(20)]
    await bench.events(*which)
    async with bench.running():
        await until(lambda: sum(call.ok for call in bench.site.calls) == 120, "all delivered")
    for number in range(20):
        assert bench.site.delivered(bench.code(number)) == [1, 2, 3, 4, 5, 6]
        assert await bench.receipted(number) == [1, 2, 3, 4, 5, 6]
    assert bench.site.open_now == 0
    assert await bench.parked() == {}
    async with bench.running():
        await asyncio.sleep(1.0)  # a window in which a second delivery would show
    assert len(bench.site.calls) == 120


async def test_faults_at_random_delay_their_dossier_only_and_keep_its_order(bench):  # noqa: F811
    chance = random.Random(7)

    async def script(items):
        await asyncio.sleep(chance.random() * 0.01)
        if chance.random() < 0.4:
            raise Retryable("http_5xx", "no", status=503)

    bench.site.script = script
    await bench.subscribe()
    await bench.events(*[(number, seq) for seq in range(1, 7) for number in range(15)])
    async with bench.running():
        await until(lambda: sum(call.ok for call in bench.site.calls) >= 90, "all delivered")
        await until(lambda: _empty(bench), "nothing parked")
    for number in range(15):
        assert bench.site.delivered(bench.code(number)) == [1, 2, 3, 4, 5, 6]
    assert bench.site.overlapping == []
    tries = [r for r in await bench.receipts("RETRY_SCHEDULED") if r["error_kind"] == "http_5xx"]
    assert len(tries) == sum(not call.ok for call in bench.site.calls)
    assert {r["http_status"] for r in tries} == {503}
    assert all(r["not_before"] > r["at"] - 1000 for r in tries)


async def _empty(bench) -> bool:  # noqa: F811
    return not await bench.parked()


async def test_a_parked_dossier_outlives_the_process_and_others_are_not_sent_again(bench):  # noqa: F811
    down = {bench.code(0)}

    async def script(items):
        if items[0].key in down:
            raise Retryable("busy", "later", retry_after=0.1)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1), (0, 2), (1, 2))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(1)) == [1, 2], "the other dossier goes on")
        await until(lambda: _parked_seqs(bench, 0, [1, 2]), "both events of the first are parked")
        await bench.events((0, 3))
        await until(lambda: _parked_seqs(bench, 0, [1, 2, 3]), "a later event waits with them")
    down.clear()
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2, 3], "resumed in order")
        await until(lambda: _empty(bench), "the parking record is gone")
    assert bench.site.delivered(bench.code(1)) == [1, 2]
    behind = [r for r in await bench.receipts("RETRY_SCHEDULED") if r["error_kind"] == "behind"]
    assert {seq for r in behind for seq in r["hub_seqs"]} == {2, 3}


async def _parked_seqs(bench, number, seqs) -> bool:  # noqa: F811
    value = (await bench.parked()).get(bench.code(number))
    return value is not None and [p["hub_seq"] for p in json.loads(value)["pointers"]] == seqs


async def test_a_refused_event_of_an_event_log_holds_its_dossier_until_replayed(bench):  # noqa: F811
    bad = {(bench.code(0), 2)}

    async def script(items):
        if (items[0].key, items[0].hub_seq) in bad:
            raise Rejected("schema", "field NguoiXuLy=Trần Thị Bình is too long", status=422)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (0, 2), (0, 3), (1, 1))
    async with bench.running():
        await until(lambda: _parked_seqs(bench, 0, [2, 3]), "held")
    (letter,) = await bench.dead_letters()
    assert (letter["dl_stage"], letter["dl_reason"], letter["dl_topic"]) == ("deliver", "schema", "hub.events")
    assert letter["ce_id"] == bench.pointers[bench.code(0), 2].event_id
    assert "Bình" not in letter["dl_detail"]
    async with bench.running():  # still held after a restart
        await bench.events((0, 4), (1, 2))
        await until(lambda: _parked_seqs(bench, 0, [2, 3, 4]), "later events are held too")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1, 2], "others go on")
        (shown,) = await waiting(bench.settings, bench.name)
        assert (shown["key"], shown["place"], shown["events"]) == (bench.code(0), "held", 3)
        assert (shown["error"], shown["first_event"]) == ("schema", letter["ce_id"])
        assert bench.site.delivered(bench.code(0)) == [1]
        bad.clear()
        await bench.order("replay", 0, 2)
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2, 3, 4], "replayed, then the rest")
        await until(lambda: _empty(bench), "nothing is held")
    held = await bench.receipts("HELD")
    assert {seq for r in held for seq in r["hub_seqs"]} == {3, 4}
    assert await bench.receipted(0) == [1, 2, 3, 4]


async def test_skip_gives_the_refused_event_up_and_the_rest_goes_on(bench):  # noqa: F811
    async def script(items):
        if items[0].hub_seq == 1:
            raise Rejected("refused", "never")

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (0, 2))
    async with bench.running():
        await until(lambda: _parked_seqs(bench, 0, [1, 2]), "held")
        await bench.order("skip", 0, 2)  # not the one it waits behind: nothing happens
        await bench.order("skip", 0, 1)
        await until(lambda: bench.site.delivered(bench.code(0)) == [2], "the rest is delivered")
        await until(lambda: _empty(bench), "nothing is held")
    (skipped,) = await bench.receipts("SKIPPED")
    assert (skipped["hub_seqs"], "test" in skipped["answer"]) == ([1], True)


async def test_all_tries_used_up_is_a_dead_letter(bench):  # noqa: F811
    async def script(items):
        if items[0].key == bench.code(0):
            raise Retryable("timeout", "no answer")

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1))
    async with bench.running(max_attempts=3):
        await until(bench.dead_letters, "exhausted")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "the other")
    (letter,) = await bench.dead_letters()
    assert letter["dl_reason"] == "exhausted"
    assert sum(call.key == bench.code(0) for call in bench.site.calls) == 3
    (receipt,) = await bench.receipts("DEAD_LETTERED")
    assert (receipt["attempt"], receipt["hub_seqs"]) == (3, [1])


async def test_a_state_portal_gets_folds_and_one_receipt_names_all(bench):  # noqa: F811
    bench.site.strategy, bench.site.max_fold = Strategy.STATE, 4
    gate = asyncio.Event()

    async def script(items):
        await gate.wait()
        return Answer(200, "Cập nhật thành công; an.nguyen@example.vn")

    bench.site.script = script
    await bench.subscribe()
    await bench.events(*[(0, seq) for seq in range(1, 8)])
    async with bench.running():
        gate.set()
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2, 3, 4, 5, 6, 7], "all")
    assert max(len(call.seqs) for call in bench.site.calls) == 4
    receipts = await bench.receipts("DELIVERED")
    assert [len(r["event_ids"]) for r in receipts] == [len(call.seqs) for call in bench.site.calls]
    assert {r["answer"] for r in receipts} == {"Cập nhật thành công; ***@***"}


async def test_a_state_never_goes_back(bench):  # noqa: F811
    bench.site.strategy, bench.site.max_fold = Strategy.STATE, 10
    await bench.subscribe()
    await bench.events((0, 1), (0, 2))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0))[-1:] == [2], "delivered")
        await bench.events((0, 1))  # the core repeats an output after a crash
        await until(lambda: _covered(bench, [1]), "the repetition is receipted")
        await bench.order("resend", 0, 1)
        await until(lambda: _covered(bench, [1, 1]), "a re-send of what is known is receipted")
        beside = next(n for n in range(1, 99) if bench.partition(n) == bench.partition(0))
        for seq in (1, 2):  # the commit moves on, and with it the receipts that a restart reads by itself
            await bench.events((beside, seq))
            await until(lambda: bench.site.delivered(bench.code(beside))[-1:] == [seq], "another dossier")  # noqa: B023
    async with bench.running():  # a new process knows nothing of dossier 0 by itself
        await bench.order("replay", 0, 1)
        await until(lambda: _covered(bench, [1, 1, 1]), "it looks into the receipts")
    assert bench.site.delivered(bench.code(0)) == [1, 2]


async def _covered(bench, seqs) -> bool:  # noqa: F811
    found = [r for r in await bench.receipts("DELIVERED") if r["attempt"] == 0]
    return [seq for r in found for seq in r["hub_seqs"]] == seqs


async def test_a_refused_fold_is_taken_apart_with_the_newest_state(bench):  # noqa: F811
    bench.site.strategy, bench.site.max_fold = Strategy.STATE, 10
    gate = asyncio.Event()

    async def script(items):
        await gate.wait()
        if 2 in [item.hub_seq for item in items]:
            raise Rejected("schema", "line 2 is bad")

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (0, 2), (0, 3))
    async with bench.running():
        gate.set()
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 3], "all but the culprit")
        await until(bench.dead_letters, "the culprit")
    (letter,) = await bench.dead_letters()
    assert letter["ce_id"] == bench.pointers[bench.code(0), 2].event_id
    alone = [call for call in bench.site.calls if len(call.seqs) == 1]
    assert [(call.seqs, call.state_seq) for call in alone] == [((1,), 3), ((2,), 3), ((3,), 3)]


async def test_a_wrong_key_turns_no_event_into_a_dead_letter(bench):  # noqa: F811
    refusing = [True]

    async def script(items):
        if refusing[0]:
            raise Rejected("forbidden", "401", status=401)

    bench.site.script = script
    await bench.subscribe()
    await bench.events(*[(number, 1) for number in range(30)])
    async with bench.running(breaker_failures=5):
        await until(lambda: len(bench.site.calls) >= 5, "tried")
        await asyncio.sleep(0.5)
        assert len(bench.site.calls) < 25, "the breaker holds calls back"
        refusing[0] = False
        await until(lambda: sum(call.ok for call in bench.site.calls) == 30, "all delivered at last")
    assert await bench.dead_letters() == []


async def test_an_open_breaker_costs_no_attempts(bench):  # noqa: F811
    down = [True]

    async def script(items):
        if down[0]:
            raise Retryable("connect", "refused")

    bench.site.script = script
    bench.site.probe_error = Retryable("connect", "refused")
    await bench.subscribe()
    await bench.events(*[(number, seq) for seq in (1, 2) for number in range(50)])
    async with bench.running(breaker_failures=4, breaker_open_s=0.3, max_attempts=5, probe_idle_s=0.2):
        await until(lambda: len(bench.site.calls) >= 8, "some trials")
        down[0], bench.site.probe_error = False, None
        await until(lambda: sum(call.ok for call in bench.site.calls) == 100, "all delivered")
    failed = sum(not call.ok for call in bench.site.calls)
    assert failed < 40
    assert await bench.dead_letters() == []
    for number in range(50):
        assert bench.site.delivered(bench.code(number)) == [1, 2]


async def test_a_hanging_call_is_cut_off_and_its_connection_renewed(bench):  # noqa: F811
    hung: list[int] = []

    async def script(items):
        if items[0].key == bench.code(0) and not hung:
            hung.append(1)
            await asyncio.sleep(3600)

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1))
    async with bench.running(request_timeout_s=1.0):
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "after the cut")
    kinds = [r["error_kind"] for r in await bench.receipts("RETRY_SCHEDULED")]
    assert kinds == ["hang"]


async def test_a_fault_of_the_connector_stops_nobody_else(bench):  # noqa: F811
    async def script(items):
        if items[0].key == bench.code(0):
            raise KeyError("Nguyễn Văn An")

    bench.site.script = script
    await bench.subscribe()
    await bench.events((0, 1), (1, 1))
    async with bench.running(max_attempts=2):
        await until(bench.dead_letters, "the one that cannot be sent")
        await until(lambda: bench.site.delivered(bench.code(1)) == [1], "the other")
    (letter,) = await bench.dead_letters()
    assert "KeyError" in letter["dl_detail"]
    assert "An" not in letter["dl_detail"]


async def test_pause_queues_up_and_resume_delivers(bench, caplog):  # noqa: F811
    from hub.control.changes import write

    caplog.set_level("INFO", "hub.delivery")
    subscriber = await bench.subscribe()
    await bench.events((0, 1))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "first")
        await write(bench.settings, subscriber.model_copy(update={"paused": True}))
        await until(lambda: f"{bench.name} changed: paused" in caplog.text, "the role knows that it is paused")
        await bench.events((0, 2), (0, 3))
        await asyncio.sleep(1.0)  # a window in which a delivery would show
        assert bench.site.delivered(bench.code(0)) == [1]
        await write(bench.settings, subscriber)
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2, 3], "after resume")


async def test_an_idle_connection_is_probed(bench):  # noqa: F811
    from prometheus_client import REGISTRY

    bench.site.probe_error = Retryable("connect", "no")
    await bench.subscribe()

    def link():
        return REGISTRY.get_sample_value("hub_link_up", {"connection": bench.name})

    async with bench.running(probe_idle_s=0.2):
        await until(lambda: link() == 0, "link down")
        bench.site.probe_error = None
        await until(lambda: link() == 1, "link up")
    assert bench.site.probes >= 2
    assert bench.site.open_now == 0


async def test_no_such_subscriber_and_a_removed_one(bench):  # noqa: F811
    from hub.control.changes import write
    from hub.control.records import Subscriber

    with pytest.raises(StartError, match="no subscriber"):
        async with bench.running() as task:
            await task
    await bench.subscribe()
    with pytest.raises(StartError, match="removed"):
        async with bench.running() as task:
            await until(lambda: bench.site.probes, "it runs")
            await write(bench.settings, (Subscriber, bench.name))
            await asyncio.wait_for(asyncio.shield(task), 60)


async def test_an_unusable_order_is_passed(bench):  # noqa: F811
    from hub.kafka import topics

    await bench.subscribe()
    await bench.events((0, 1))
    async with bench.running():
        await until(lambda: bench.site.delivered(bench.code(0)) == [1], "delivered")
        await bench.send([(topics.REQUESTS, bench.code(0).encode(), b"{broken", ())])
        await bench.events((0, 2))
        await until(lambda: bench.site.delivered(bench.code(0)) == [1, 2], "goes on")
