"""The same stack gives the same plan, byte for byte, wherever its files are read from."""

from dataclasses import replace

import msgspec
from tests.contract.stack_files.conftest import MakeSource
from tests.golden.plans import STACKS, request

from stagewright.contexts.deploys.api import plan_stack

SHOP = STACKS["shop"]


def test_a_folder_a_work_tree_and_a_commit_give_one_plan(source_of: MakeSource) -> None:
    asked = request(SHOP, "live")
    (memory,) = SHOP.sources().values()
    elsewhere = replace(asked.repositories, sources={"main": source_of(memory.files)})
    plans = []
    for repositories in (asked.repositories, elsewhere):
        outcome = plan_stack(replace(asked, repositories=repositories))
        assert outcome.plan is not None, outcome.diagnostics
        plans.append(msgspec.json.encode(msgspec.structs.replace(outcome.plan, sources=())))
    assert plans[0] == plans[1]
