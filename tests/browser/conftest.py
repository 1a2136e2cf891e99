"""Chromium for every test of this layer."""

from __future__ import annotations

import pytest

from tests.support.debian import installed


@pytest.fixture(scope="module")
def chromium() -> str:
    return installed("chromium", "chromium", "chromium-browser", "google-chrome")
