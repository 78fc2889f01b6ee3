"""The embedded PostgreSQL server: made, started, adopted and stopped by the program itself."""

from stagewright.kit.postgres.binaries import pgbench_path
from stagewright.kit.postgres.errors import EmbeddedPostgresFailed
from stagewright.kit.postgres.server import EmbeddedPostgres
from stagewright.kit.settings import data_dir_default

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresFailed", "data_dir_default", "pgbench_path"]
