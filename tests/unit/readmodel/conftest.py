"""The fixtures of a read model, for the tests of this folder."""

from tests.support.readmodel import engine, postgres_url

__all__ = ["engine", "postgres_url"]
