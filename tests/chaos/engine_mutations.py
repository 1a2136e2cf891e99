"""Lists the mutations of the engine: each takes out a passage that a finding asked for, and names the test it fails."""

from __future__ import annotations

from dataclasses import dataclass

_LEDGER, _STATE, _RUNNER, _TRANSPORT, _LEFT, _LEASE, _FENCE, _WATCHDOG = (
    f"tests/unit/stream/test_{name}.py"
    for name in (
        "offset_ledger", "partition_state", "chunk_runner", "transport", "left_chunk", "lease", "transaction_fence",
        "commit_watchdog",
    )
)  # fmt: skip
_BROKER = "tests/broker/test_engine_findings.py"


@dataclass(frozen=True)
class Mutation:
    """One change of the code that a test must notice.

    finding: its heading in docs/engine.md. swaps: (passage of `module`, what stands there in its stead).
    test: goes red with it.
    """

    name: str
    finding: str
    module: str
    swaps: tuple[tuple[str, str], ...]
    test: str


def _one(name: str, finding: str, module: str, passage: str, without: str, test: str) -> Mutation:
    return Mutation(name, finding, module, ((passage, without),), test)


MUTATIONS = (
    _one(
        "commit only the finished prefix", "acks-of-faust", "hub.stream.offset_ledger",
        "        while log.items and log.items[0].finished:\n            log.finished = log.items.popleft().end",
        "        log.items.remove(item)\n        log.finished = item.end",
        _LEDGER,
    ),
    Mutation(
        "commits come from the ledger, not from Faust's acks", "acks-of-faust", "hub.stream.faust_app.transport",
        (
            (
                "offsets = self.ledger.to_commit(self.assignment())\n        if not",
                "offsets = self._filter_committable_offsets(list(self._acked))\n        if not",
            ),
            ("        message.acked = True\n        return True", "        return super().ack(message)"),
        ),
        f"{_TRANSPORT}::test_commits_are_the_ledgers_and_count_only_when_the_broker_has_them",
    ),
    _one(
        "an item of an ended epoch cannot be finished", "a-failed-chunk", "hub.stream.offset_ledger",
        "        if not self.live(item):\n            return False\n", "",
        _LEDGER,
    ),
    Mutation(
        "nothing is worked after a chunk that raised", "a-failed-chunk", "hub.stream.chunk_runner",
        (
            ("if not self.failed.done():\n                    await work", "await work"),
            ("lambda: not self.failed.done() and given()", "given"),
        ),
        f"{_RUNNER}::test_a_chunk_that_raises_is_not_finished_and_nothing_after_it_is_worked",
    ),
    _one(
        "only a confirmed chunk is finished", "a-failed-chunk", "hub.stream.chunk_runner",
        "        if not done:\n            job.leave()\n            return\n        job.finish()",
        "        job.finish()",
        f"{_RUNNER}::test_without_the_lease_outputs_may_go_but_state_and_chunk_are_left",
    ),
    _one(
        "an agent's error commits nothing", "a-failed-chunk", "hub.stream.faust_app.transport",
        '        """Faust would commit here."""', "        await self.commit()",
        f"{_TRANSPORT}::test_an_error_of_an_agent_commits_nothing",
    ),
    _one(
        "Faust's iterator acknowledges nothing", "the-iterator-in-c", "hub.stream.faust_app.app",
        "stream.noack().events()", "stream.events()",
        f"{_LEFT}::test_fausts_iterator_acknowledges_nothing",
    ),
    _one(
        "seek partitions without a commit", "a-partition-without-a-commit", "hub.stream.faust_app.transport",
        "                await self.seek_wait(fresh)", "                pass",
        f"{_TRANSPORT}::test_a_partition_without_a_commit_is_sought_to_its_beginning",
    ),
    _one(
        "a commit counts when the broker has it", "a-partition-without-a-commit", "hub.stream.faust_app.transport",
        "        if not await self._commit(offsets):\n            return False\n",
        "        await self._commit(offsets)\n",
        f"{_TRANSPORT}::test_commits_are_the_ledgers_and_count_only_when_the_broker_has_them",
    ),
    _one(
        "seek after an overtaken fetch", "epoch-of-a-chunk", "hub.stream.faust_app.transport",
        "                self._seek_due = True\n                return", "                return",
        f"{_TRANSPORT}::test_what_was_fetched_and_not_delivered_is_fetched_again",
    ),
    _one(
        "seek after a chunk of an older epoch", "epoch-of-a-chunk", "hub.stream.faust_app.transport",
        "            self._seek_due = True  # a seek came", "            pass  # a seek came",
        f"{_TRANSPORT}::test_what_was_fetched_and_not_delivered_is_fetched_again[seek]",
    ),
    _one(
        "ask for a copy of the partitions", "no-partitions-means-all", "hub.stream.faust_app.transport",
        "set(self._get_active_partitions())", "self._get_active_partitions()",
        f"{_TRANSPORT}::test_the_partitions_asked_for_are_a_copy_and_never_empty",
    ),
    _one(
        "never ask for no partitions", "no-partitions-means-all", "hub.stream.faust_app.transport",
        "        if not active:\n            await self.sleep(_NO_PARTITION_WAIT_S)\n            return\n", "",
        f"{_TRANSPORT}::test_the_partitions_asked_for_are_a_copy_and_never_empty",
    ),
    _one(
        "forget buffered partitions on revoke", "a-late-pressure-callback", "hub.stream.faust_app.transport",
        "        self._buffered_partitions.clear()  # else", "        pass  # else",
        f"{_TRANSPORT}::test_a_late_pressure_callback_does_not_wake_a_revoked_partition",
    ),
    Mutation(
        "hand out before the queue", "handed-out-before-the-queue", "hub.stream.faust_app.transport",
        (
            (
                "        message.item = self.ledger",
                "        await self._deliver(message)\n        message.item = self.ledger",
            ),
            ("            return\n        await self._deliver(message)\n", "            return\n"),
        ),
        f"{_TRANSPORT}::test_a_chunk_cut_off_between_ledger_and_queue_stops_commits",
    ),
    _one(
        "outputs before state", "order-of-writes", "hub.stream.chunk_runner",
        "        if outputs.records:\n            written",
        "        if outputs.state:\n            await self._state.write(part, outputs.state)\n"
        "        if outputs.records:\n            written",
        f"{_RUNNER}::test_outputs_are_confirmed_before_state_and_state_before_the_chunk_is_finished",
    ),
    _one(
        "let chunks in work end before giving back", "giving-back-partitions", "hub.stream.faust_app.transport",
        "        await self.link.drained()\n", "",
        f"{_TRANSPORT}::test_before_giving_back_chunks_in_work_end_and_are_committed",
    ),
    _one(
        "the lease ends", "a-frozen-owner", "hub.stream.lease",
        "self._clock() - self._renewed < self._valid_s", "True",
        _LEASE,
    ),
    _one(
        "the lease counts from the question", "a-frozen-owner", "hub.stream.lease",
        "self._renewed = asked", "self._renewed = self._clock()",
        _LEASE,
    ),
    _one(
        "ask for the lease before a state write", "a-frozen-owner", "hub.stream.chunk_runner",
        "            if not await self._lease.held(live):\n                return False\n",
        "",
        f"{_RUNNER}::test_without_the_lease_outputs_may_go_but_state_and_chunk_are_left",
    ),
    _one(
        "offset continuity", "a-frozen-owner", "hub.stream.state_log",
        "return None if base == expected else (expected, base)", "return None",
        _STATE,
    ),
    _one(
        "highest version wins on restore", "a-frozen-owner", "hub.stream.state_log",
        "if old is not None and self._version(old) > self._version(stored):", "if False:",
        _STATE,
    ),
    _one(
        "an idle owner heals", "a-frozen-owner", "hub.stream.ticker",
        "for partition in await self._state.overtaken() if self._owned else ():", "for partition in ():",
        f"{_BROKER}::test_the_owner_writes_over_a_late_writers_older_state_even_when_idle",
    ),
    _one(
        "catch up after each assignment", "a-frozen-owner", "hub.stream.partition_state",
        "self._stale = set(partitions) if self._stores or self._claim else set()",
        "self._stale = {number for number in partitions if not self._parts[number].logs[self._stores[0]].next}",
        _STATE,
    ),
    Mutation(
        "no web server", "fausts-web-server", "hub.stream.faust_app.app",
        (("    enable_web = False\n", ""), ("        web_enabled=False,\n", "")),
        f"{_TRANSPORT}::test_one_agent_one_actor_no_tables_no_web",
    ),
    _one(
        "static membership", "static-membership", "hub.stream.faust_app.consumer_thread",
        'instance=f"{config.name}-{config.instance}"', "instance=None",
        f"{_BROKER}::test_it_is_a_static_member_and_comes_back_without_a_rebalance",
    ),
    Mutation(
        "restore ends by position", "end-by-position", "hub.kafka.tail",
        (
            (
                "        self._at[part] = at\n        if part not in",
                "        self._at[part] = records[-1].offset + 1 if records else first\n        if part not in",
            ),
            ("                empty.add(part)\n", "                pass\n"),
        ),
        f"{_BROKER}::test_state_is_restored_to_the_position_not_to_the_last_record",
    ),
    _one(
        "a dead letter may be larger than its source", "size-of-a-dead-letter", "hub.kafka.topics",
        "DEAD_LETTER_LIMIT = 4 * 1_048_576", "DEAD_LETTER_LIMIT = RECORD_LIMIT",
        f"{_BROKER}::test_a_source_record_just_under_the_limit_becomes_a_dead_letter",
    ),
    _one(
        "a record that keeps crashing is set aside", "a-record-that-crashes-the-step", "hub.stream.poison_records",
        "LIMIT = 3", "LIMIT = 10**9",
        f"{_RUNNER}::test_after_three_crashes_the_bad_record_alone_is_dead_lettered",
    ),
    _one(
        "a drop during a seek is sought again", "a-drop-during-a-seek", "hub.stream.faust_app.transport",
        "            self.ledger.seek_all()\n\n    # --- out",
        "            self.ledger.seek_all()\n            self._seek_due = False\n\n    # --- out",
        f"{_TRANSPORT}::test_a_fetch_dropped_while_a_seek_is_under_way_is_sought_again_too",
    ),
    _one(
        "sources are assigned alike", "a-frozen-owner", "hub.stream.faust_app.transport",
        "        if any(partitions != owned for partitions in topics.values()):", "        if False:",
        f"{_TRANSPORT}::test_sources_that_are_not_assigned_alike_end_the_engine",
    ),
    _one(
        "commits that stand still are seen", "handed-out-before-the-queue", "hub.stream.commit_watchdog",
        "ahead = processed is not None and processed > (committed or 0)", "ahead = False",
        _WATCHDOG,
    ),
    _one(
        "a chunk lost on the way is seen", "handed-out-before-the-queue", "hub.stream.commit_watchdog",
        "stuck = oldest is not None and not self._busy(tp.partition)", "stuck = False",
        _WATCHDOG,
    ),
    _one(
        "a flow that stands still is seen", "a-resumption-given-up", "hub.stream.commit_watchdog",
        "        if self._flowing():", "        if True:",
        f"{_WATCHDOG}::test_a_rebalance_that_does_not_end_is_seen",
    ),
    _one(
        "no commit without a generation", "a-commit-without-a-generation", "hub.stream.faust_app.consumer_thread",
        "        if not self._joined():  # a commit", "        if False:  # a commit",
        f"{_TRANSPORT}::test_without_a_generation_nothing_is_committed",
    ),
    _one(
        "the consumer thread is a daemon", "the-consumer-thread", "hub.stream.faust_app.consumer_thread",
        "        self.daemon = True", "        pass",
        f"{_TRANSPORT}::test_the_consumer_thread_cannot_hold_up_the_end_of_the_process",
    ),
    _one(
        "one chunk of a partition at a time", "order-of-writes", "hub.stream.chunk_runner",
        "            async with self._lanes[partition]:", "            async with asyncio.Lock():",
        f"{_RUNNER}::test_chunks_of_one_partition_are_worked_one_at_a_time_and_in_order",
    ),
    _one(
        "a fault stops the other lanes", "a-failed-chunk", "hub.stream.chunk_runner",
        "lambda: not self.failed.done() and given()", "given",
        f"{_RUNNER}::test_after_a_fault_other_lanes_work_no_more_and_leave_the_crash_file_alone",
    ),
    _one(
        "a chunk that is left tells so", "a-chunk-that-was-left", "hub.stream.chunk_runner",
        "        if not done:\n            job.leave()\n", "        if not done:\n",
        f"{_LEFT}::test_after_a_chunk_that_was_left_none_of_its_epoch_is_worked",
    ),
    _one(
        "a chunk without its state tells so", "a-chunk-that-was-left", "hub.stream.chunk_runner",
        "            job.leave()  # taken away", "            pass  # taken away",
        f"{_LEFT}::test_after_a_chunk_that_was_left_none_of_its_epoch_is_worked[state]",
    ),
    _one(
        "a chunk that is left ends its epoch", "a-chunk-that-was-left", "hub.stream.faust_app.transport",
        "            self.ledger.seek(item.part)", "            pass",
        f"{_LEFT}::test_leaving_a_chunk_ends_its_epoch_and_all_is_fetched_again",
    ),
    _one(
        "a chunk that is left is fetched again", "a-chunk-that-was-left", "hub.stream.faust_app.transport",
        "            self._seek_due = True\n            self.ledger.seek(item.part)",
        "            self.ledger.seek(item.part)",
        f"{_LEFT}::test_leaving_a_chunk_ends_its_epoch_and_all_is_fetched_again",
    ),
    _one(
        "only a live chunk's leaving counts", "a-chunk-that-was-left", "hub.stream.faust_app.transport",
        "        if self.ledger.live(item):\n            self._seek_due",
        "        if True:\n            self._seek_due",
        f"{_LEFT}::test_leaving_a_chunk_of_an_ended_epoch_disturbs_nothing",
    ),
    _one(
        "a seek that failed is tried again", "a-chunk-that-was-left", "hub.stream.faust_app.transport",
        "            self._seek_due = bool(self.assignment())\n", "",
        f"{_LEFT}::test_nothing_is_fetched_before_a_seek_that_failed_has_succeeded",
    ),
    _one(
        "nothing is fetched after a seek that failed", "a-chunk-that-was-left", "hub.stream.faust_app.transport",
        "            if self._seek_due:  # it failed", "            if False:  # it failed",
        f"{_LEFT}::test_nothing_is_fetched_before_a_seek_that_failed_has_succeeded",
    ),
    _one(
        "a producer of which a batch was refused is replaced", "a-refused-batch", "hub.stream.writer",
        "            await self._replace(producer)\n", "",
        "tests/broker/test_engine.py::test_batches_keep_order_headers_and_places_and_refuse_what_no_topic_takes",
    ),
    _one(
        "the state is read after the claim", "a-frozen-owner", "hub.stream.partition_state",
        "        if self._claim is not None:\n            await self._claim(stale)\n", "",
        f"{_FENCE}::test_partitions_are_claimed_before_their_state_is_read",
    ),
    _one(
        "nothing is taken into memory before the commit", "a-frozen-owner", "hub.stream.partition_state",
        "        if not await commit():\n            return False\n", "        await commit()\n",
        f"{_FENCE}::test_what_was_not_committed_is_not_taken_into_memory",
    ),
    _one(
        "a transaction's end takes an offset", "end-by-position", "hub.stream.partition_state",
        "        log.next += marker\n", "",
        f"{_FENCE}::test_a_transactions_end_takes_an_offset_and_is_no_foreign_write",
    ),
    _one(
        "only a live chunk is committed", "a-frozen-owner", "hub.stream.chunk_runner",
        "                if live():\n                    await transaction.commit()",
        "                await transaction.commit()",
        f"{_FENCE}::test_a_chunk_whose_epoch_ended_before_the_commit_is_left",
    ),
    _one(
        "what was undone is not read", "a-frozen-owner", "hub.stream.state_topics",
        '"read_committed" if isinstance', '"read_uncommitted" if isinstance',
        "tests/broker/test_engine_fencing.py::test_state_is_read_as_it_counts",
    ),
)  # fmt: skip
