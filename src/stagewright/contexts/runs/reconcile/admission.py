"""Admit queued runs while limits allow, fair across projects."""

from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.usecases import admission

BATCH = 20


async def admit_queued(outside: Outside) -> int:
    """Admit at most one run per project and turn until none is admissible or the batch is full."""
    admitted = 0
    while admitted < BATCH:
        async with outside.db.reading() as reader:
            projects = await admission.list_projects(reader)
        turn = 0
        for project_id in projects:
            async with outside.db.transaction() as tx:
                run = await admission.admit_next(tx, project_id, signer=outside.signer, now=outside.clock.now())
            if run is not None:
                turn += 1
                break  # ask again whose turn it is
        if not turn:
            return admitted
        admitted += turn
    return admitted
