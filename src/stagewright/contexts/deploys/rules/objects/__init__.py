"""The rules that Kubernetes objects of a stack must keep (``stack.md`` section 6.4): one module per rule."""
