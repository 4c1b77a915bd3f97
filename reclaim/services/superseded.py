"""That a job has been overtaken, for all who read a tenant."""


class Superseded(Exception):
    """The run has ended, or another job goes on with it: this one must write nothing more."""
