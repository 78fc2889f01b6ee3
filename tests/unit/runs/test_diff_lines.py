"""How many lines a diff adds and removes per file."""

from stagewright.contexts.runs.rules.diff_lines import Lines, count_lines, shown_lines

DIFF = r"""diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py
+++ b/a.py
@@ -1,3 +1,4 @@ def f
 one
-two
+2
+--- not a head
 three
@@ -9 +10 @@
-x
\ No newline at end of file
+y
diff --git a/gone.md b/gone.md
--- a/gone.md
+++ /dev/null
@@ -1,2 +0,0 @@
-a
--- b
diff --git a/new b/new
--- /dev/null
+++ "b/\320\270 \"q\"\tx"
@@ -0,0 +1 @@
+x
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
"""


def test_lines_are_counted_by_file() -> None:
    assert count_lines(DIFF) == {"a.py": Lines(3, 2), "gone.md": Lines(0, 2), 'и "q"\tx': Lines(1, 0)}


def test_a_hunk_that_lost_lines_ends_with_the_next_file() -> None:
    cut = "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n+1\ndiff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
    assert count_lines(cut) == {"x": Lines(1, 0), "y": Lines(1, 1)}


def test_the_lines_that_a_remark_can_stand_at_are_those_the_diff_shows_of_the_newer_side() -> None:
    assert shown_lines(DIFF) == {"a.py": {1, 2, 3, 4, 10}, 'и "q"\tx': {1}}


def test_a_diff_that_was_cut_shows_what_is_there() -> None:
    assert shown_lines("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -5,9 +7,9 @@\n one\n+two") == {"x": {7, 8}}
    assert shown_lines("@@ -1 +1 @@\n+x\n") == {}


def test_text_that_is_no_diff_counts_nothing() -> None:
    assert count_lines("") == {}
    assert count_lines("@@ -1 +1 @@\n+x\n") == {}
