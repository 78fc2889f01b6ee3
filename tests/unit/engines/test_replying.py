"""A rehearsed discussion names what it was asked; other reports have no reply."""

from stagewright.adapters.engines.scripted.replying import with_reply

TALK = {"properties": {"reply_markdown": {"type": "string"}}}
PROMPT = """
<untrusted id="x" source="issue_comment:1" author="old" association="NONE">before</untrusted x>
<untrusted id="x" source="comment:7" author="ann" association="">Why?</untrusted x>
<untrusted id="x" source="comment:8" author="bob" association="">And how?</untrusted x>
"""


def test_a_reply_names_every_comment_of_the_batch_and_no_older_one() -> None:
    reply = with_reply({"status": "completed"}, TALK, PROMPT)["reply_markdown"]
    assert "- comment 7 by ann\n- comment 8 by bob" in reply
    assert "old" not in reply


def test_a_discussion_without_comments_answers_the_issue() -> None:
    assert "I have read the Issue." in with_reply({}, TALK, "hello")["reply_markdown"]


def test_a_report_that_wants_no_reply_gets_none() -> None:
    assert with_reply({"status": "completed"}, {"properties": {"status": {}}}, PROMPT) == {"status": "completed"}
