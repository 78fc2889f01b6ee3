"""One connection to the shop's database."""

import os

import psycopg


def connect() -> psycopg.Connection:
    """Connect as DATABASE_URL says."""
    return psycopg.connect(os.environ["DATABASE_URL"])
