"""The engine: chunks of records worked against the state of their partition, nothing lost; the only room with Faust.

    api        what a stage sees: Step, Tick, Outputs, EngineConfig, Engine. No Faust, no Kafka
    engine     one run: open, check, the Faust app in this loop, stop in order or fail without a last commit
    app        the Faust app and its agent          transport  chunks in, the ledger's offsets out (Faust's entry point)
    consumer_thread   the aiokafka consumer in its thread: membership, commits, what the broker says
    runner     one chunk: step, outputs, state, finished    ticker   clocks, and the check for late writers
    ledger     what may be committed (pure)         lease      is this process still the owner?
    state      stores over compacted topics         storelog   one of them, as its owner sees it (pure)
    store      what a store must do; in memory      disk       on disk, with the changelog's offset
    kafka_logs reading them                         writer     many records, few requests, confirmed
    crash      which records the process died over  watchdog   worked and committed must not part
    checks     what must be true of the topics      errors     what is raised

The way of a chunk: fetched -> in the ledger -> Faust's queue -> its partition's lane -> step -> outputs and dead
letters confirmed -> lease -> state confirmed -> finished in the ledger -> committed with all before it. Where it is
lost or the process dies, everything after the last commit is read again; state tells what was seen, and outputs sent
twice carry the same ids. Only `runner` finishes a chunk, only `transport` commits, and both by the ledger.
"""
