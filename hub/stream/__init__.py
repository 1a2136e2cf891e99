"""The engine: chunks of records worked against the state of their partition, nothing lost; the only room with Faust.

What a stage sees:
    stage              Step, Tick, Outputs, EngineConfig, Engine; no Faust, no Kafka
    errors             what is raised
One run:
    engine             open, check, the Faust app in this loop, stop in order or fail without a last commit
    checks             what must be true of the topics
    chunk_runner       one chunk: step, outputs, state, finished
    ticker             clocks, and the check for late writers
    writer             many records, few requests, confirmed
Who owns what, and what may be committed:
    offset_ledger      what may be committed (pure)
    lease              is this process still the owner?
    transaction_fence  a transaction a chunk, which a former owner cannot end (by setting)
    commit_watchdog    worked and committed must not part
    poison_records     which records the process died over
State of a partition:
    partition_state    stores over compacted topics
    state_log          one of them, as its owner sees it (pure)
    state_topics       reading and writing them
    memory_store       what a store must do; in memory
    packed             a state as the one bytes object that a store keeps (pure)
    disk_store         on disk, with the changelog's offset
Faust, in `faust_app` and nowhere else:
    app                the Faust app and its agent
    transport          chunks in, the ledger's offsets out (Faust's entry point)
    consumer_thread    the aiokafka consumer in its thread: membership, commits, what the broker says
    link               what the two need of the engine

The way of a chunk: fetched -> in the ledger -> Faust's queue -> its partition's lane -> step -> outputs and dead
letters confirmed -> lease -> state confirmed -> finished in the ledger -> committed with all before it. Where it is
lost or the process dies, everything after the last commit is read again; state tells what was seen, and outputs sent
twice carry the same ids. Only `chunk_runner` finishes a chunk, only `transport` commits, and both by the ledger.
"""
