"""Plots of a site through the pipeline, from whatever source they come."""

from collections.abc import Iterable

from opencram.config.model import Site
from opencram.messages import Message
from opencram.runtime.configure import configure
from opencram.runtime.pipeline import run
from opencram.runtime.sinks import Batches


def batches(site: Site, messages: Iterable[Message]) -> Batches:
    """Yield each batch of the plots of a site with what the pipeline made of it."""
    return run(configure(site), messages)
