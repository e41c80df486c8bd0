"""What is kept of a run while its messages pass: the little that measures need, by track and by zone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from opencram.messages import (
    Association,
    Decision,
    Engagement,
    Impact,
    Message,
    Operator,
    Track,
    Warning,
)

_CONSENT_CODE = "awaiting_consent"


@dataclass(frozen=True)
class Alarm:
    """One alarm of a zone.  `end_t_ns`: when it was ended, or runs out by itself."""

    zone: str
    issued_t_ns: int
    end_t_ns: int
    cancelled: bool


@dataclass
class Ear:
    """Listens to a run."""

    impacts: dict[int, list[Impact]] = field(default_factory=dict)
    projectile: dict[int, float] = field(default_factory=dict)  # confirmed tracks: probability to be a projectile
    track_of_plot: dict[int, int] = field(default_factory=dict)
    scans: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)  # when, and which plots
    confirmed_t_ns: dict[int, int] = field(default_factory=dict)  # by track
    ended_t_ns: dict[int, int] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    fired_rounds: int = 0
    engagements: int = 0
    consent_left_s: dict[int, float] = field(default_factory=dict)  # by track, when consent was first asked for

    def take(self, made: Sequence[Message]) -> None:
        """Keep what matters of the output of one batch."""
        for message in made:
            match message:
                case Association():
                    self.scans.append((message.t_ns, message.plot_ids))
                    for plot_id, track_id in zip(message.plot_ids, message.track_ids, strict=True):
                        if track_id:
                            self.track_of_plot[plot_id] = track_id
                case Track():
                    if message.status == "confirmed" or message.track_id in self.projectile:
                        self.projectile[message.track_id] = message.projectile_probability
                        self.confirmed_t_ns.setdefault(message.track_id, message.t_ns)
                    if message.status == "dropped":
                        self.ended_t_ns[message.track_id] = message.t_ns
                case Impact():
                    self.impacts.setdefault(message.track_id, []).append(message)
                case Warning():
                    self._warn(message)
                case Decision():
                    if message.code == _CONSENT_CODE and message.track_id not in self.consent_left_s:
                        left = dict(message.values).get("left_s", 0.0)
                        self.consent_left_s[message.track_id] = float(left)
                case Engagement():
                    if message.state == "fired":
                        self.fired_rounds += message.rounds
                        self.engagements += 1
                case _:
                    pass

    def _warn(self, message: Warning) -> None:
        known = self.alarms.get(message.alarm_id)
        ended = message.state in ("cancelled", "all_clear", "expired")
        self.alarms[message.alarm_id] = Alarm(
            zone=message.zone,
            issued_t_ns=known.issued_t_ns if known else message.t_ns,
            end_t_ns=message.t_ns if ended else message.expires_t_ns,
            cancelled=message.state == "cancelled",
        )


@dataclass
class ModelOperator:
    """An operator who consents to every round, each after a delay of its own."""

    delays_s: Sequence[float]  # the k-th round that is asked about
    asked: dict[int, int] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)

    def hear(self, made: Sequence[Message]) -> None:
        """Take note of what is asked."""
        for message in made:
            if type(message) is Decision and message.code == _CONSENT_CODE and message.track_id not in self.asked:
                delay_s = self.delays_s[min(len(self.asked), len(self.delays_s) - 1)]
                self.asked[message.track_id] = message.t_ns + round(delay_s * 1e9)

    def said(self, t_ns: int) -> list[Message]:
        """Return what has been consented to by this time."""
        due = [track_id for track_id, at in self.asked.items() if at <= t_ns and track_id not in self.answered]
        self.answered |= dict.fromkeys(due, t_ns)
        return [Operator(t_ns=t_ns, operator="model", action="consent", track_id=track_id) for track_id in due]
