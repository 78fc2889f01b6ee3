"""A question is met in the inbox and answered from the terminal, on the real processes."""

import pytest
from tests.e2e.cli.playground import Playground

pytestmark = pytest.mark.e2e
ASKS = """\
- result: {status: needs_input, question: Which colour?}
- write: {path: hello.py, content: "print('blue')"}
- result: {title: A blue greeting}
"""


def test_a_person_finds_a_question_in_the_inbox_and_answers_it(playground: Playground) -> None:
    run = playground.begin(playground.bind("asking", ASKS))
    waiting = playground.call("run", "wait", run, "--for", "waiting", "--timeout", "30s")
    assert waiting.code == 0, waiting.err
    view = playground.call("run", "view", run)
    assert "stagewright inbox answer" in view.out + view.err

    listed = playground.call("inbox", "list", "-o", "wide")
    (line,) = [line for line in listed.out.splitlines() if "Which colour?" in line]
    name = line.split()[0]
    stuck = playground.call("wait", "list", "--reason", "question", "--all-projects", "-o", "json").json()
    assert [item["question"] for item in stuck if item["id"].endswith(name)] == ["Which colour?"]

    refused = playground.call("inbox", "answer", name, "--option", "9")
    assert (refused.code, "1 answer" in refused.err) == (2, True)
    answered = playground.call("inbox", "answer", name, "--text", "Blue.")
    assert answered.code == 0, answered.err
    assert "answered" in answered.out
    assert playground.call("run", "watch", run).code == 0
    assert playground.call("inbox", "answer", name, "--text", "Red.").code == 6
