"""The files of a stack: a work tree on disk, or a git tree at a commit."""

from stagewright.adapters.stack_files.git_tree import GitTreeFiles
from stagewright.adapters.stack_files.mirrored import MirroredTrees
from stagewright.adapters.stack_files.work_tree import WorkTreeFiles

__all__ = ["GitTreeFiles", "MirroredTrees", "WorkTreeFiles"]
