"""What every refused operation raises, down to the database's own rules.

Nothing here knows of HTTP: `apps.api.errors` says which status each one becomes.
"""


class DomainError(Exception):
    """An operation was refused. `message` tells the caller what to do."""

    message = "The operation was refused."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.message
        super().__init__(self.message)
