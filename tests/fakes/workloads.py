"""Workloads in memory: the ``Workloads`` port with hands for a test to end, print and lose them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stagewright.adapters.local.errors import WorkloadConflict
from stagewright.contexts.runs.ports import Observed, WorkloadSpec, WorkloadState


@dataclass(slots=True)
class Held:
    """One workload the fake keeps."""

    spec: WorkloadSpec
    observed: Observed
    output: list[str] = field(default_factory=list)
    stop_grace: timedelta | None = None


class FakeWorkloads:
    """Keeps what was launched. ``on_launch`` and ``on_stop`` may be replaced to make a workload act by itself."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.launches: list[WorkloadSpec] = []
        self.deleted: list[str] = []
        self.stops_end_it = True

    async def launch(self, spec: WorkloadSpec) -> None:
        """Keep the workload as running; the same attempt again changes nothing."""
        known = self.held.get(spec.name)
        if known is not None:
            if (known.spec.attempt_id, known.spec.generation) != (spec.attempt_id, spec.generation):
                raise WorkloadConflict(f"workload {spec.name} belongs to attempt {known.spec.attempt_id}")
            return
        for other in self.held.values():
            if other.spec.run_dir_key == spec.run_dir_key and other.observed.state is WorkloadState.RUNNING:
                raise WorkloadConflict(f"the work tree of {spec.name} is still used by {other.spec.name}")
        self.launches.append(spec)
        self.held[spec.name] = Held(spec, Observed(WorkloadState.RUNNING, started_at=datetime.now(UTC)))

    async def observe(self, name: str) -> Observed:
        """Return what the test, or a stop, made of it."""
        held = self.held.get(name)
        return held.observed if held else Observed(WorkloadState.ABSENT)

    async def stop(self, name: str, *, grace: timedelta) -> None:
        """Note the wish; the workload ends at once unless ``stops_end_it`` is false."""
        held = self.held.get(name)
        if held is not None and held.observed.state is WorkloadState.RUNNING:
            held.stop_grace = grace
            if self.stops_end_it:
                self.finish(name, 0 if grace else 137, detail="stopped" if grace else "killed")

    async def delete(self, name: str) -> None:
        """Forget it."""
        if self.held.pop(name, None) is not None:
            self.deleted.append(name)

    async def list_names(self) -> Sequence[str]:
        """Return all names, sorted."""
        return sorted(self.held)

    async def tail(self, name: str, lines: int) -> str:
        """Return the last lines the test let it print."""
        held = self.held.get(name)
        return "\n".join(held.output[-lines:]) if held and lines > 0 else ""

    def finish(self, name: str, exit_code: int, *, detail: str = "exited") -> None:
        """Let a workload end."""
        held = self.held[name]
        held.observed = Observed(
            WorkloadState.FINISHED, exit_code, detail, held.observed.started_at, ended_at=datetime.now(UTC)
        )

    def lose(self, name: str) -> None:
        """Let a workload vanish without an exit."""
        held = self.held[name]
        held.observed = Observed(
            WorkloadState.ABSENT,
            detail="the supervisor is gone without an exit",
            started_at=held.observed.started_at,
        )

    def say(self, name: str, line: str) -> None:
        """Let a workload print a line."""
        self.held[name].output.append(line)
