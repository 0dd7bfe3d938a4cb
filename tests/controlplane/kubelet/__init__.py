"""What KWOK does in place of a kubelet: stages, made from small parts.

KWOK has no way to share a template between stages, and every status needs most
of the others' lines. So they are composed here and written to a file for it.
"""
