"""Which partition a key falls into: as Java's clients say, or a dossier's events would part."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from hub.kafka.clients import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        # org.apache.kafka.common.utils.UtilsTest.testMurmur2; Java's int has a sign.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_as_kafkas_own_test_says(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % (1 << 32)
    assert partition_of(key, 12) == (signed & 0x7FFFFFFF) % 12


@given(st.binary(max_size=80))
def test_as_aiokafka_says(key: bytes) -> None:
    assert murmur2(key) == of_aiokafka(key)
