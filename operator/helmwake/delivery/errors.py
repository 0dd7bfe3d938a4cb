"""What can be wrong with where to deliver."""


class BadTargetError(ValueError):
    """The endpoint or what belongs to it cannot be used. One line, which says what to do.

    It names variables, headers and files, never a header's value or an endpoint's query.
    """
