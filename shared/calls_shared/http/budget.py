"""`CallBudget`: what all components of one source share: the rate, the patience, the report.

The CDK's own budget cannot learn a limit from a header nor pause until a reset that a provider
names, and its types know none of our keys; so the budget is data of the requester, and the
components of a source find it by the one object that the CDK hands to all of them whoever runs the
manifest: the configuration.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from weakref import WeakValueDictionary

from calls_shared.http.authenticator import credential_keys
from calls_shared.http.patience import Patience
from calls_shared.http.places import Places
from calls_shared.http.rate import Rate, RateLimit
from calls_shared.report import SyncReport, report_of

_LONGEST_SLEEP = 30.0  # seconds; then we look again
_FAILURES_IN_A_ROW = 3
_REFUSALS_IN_A_ROW = 60


_BUDGETS: WeakValueDictionary[int, "CallBudget"] = WeakValueDictionary()
_RATES: WeakValueDictionary[str, Rate] = WeakValueDictionary()
_BUSY: list[Rate] = []  # outlive their sources as long as the provider remembers their requests
_LOCK = threading.Lock()


class CallBudget:
    """The budget of one source: the rate of its key, the places of its requests, and an end.

    Attributes:
        report: what the sync has to tell at its end.
        patience: how long a request is tried.
        places: how many requests may be under way at once.
        stopped: set when the sync ends early; every wait ends at once.
        failure: set once going on is pointless; every further request fails with it at once.
        key_worked: whether a request of the sync was answered well, so that the key is good.
        kept: what components of one source keep for each other, by a name of theirs.
    """

    def __init__(
        self,
        rate: Rate | None = None,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """A budget.

        Args:
            rate: the rate of the key; none until a requester names it.
            patience: how long a request is tried.
            clock: seconds of a clock that never goes back.
            config: the configuration of the source, which lives as long as its budget.
        """
        self.report = SyncReport() if config is None else report_of(config)
        self.patience = patience or Patience()
        self.places = Places(int((config or {}).get("num_workers") or 0) or None)
        self.stopped = threading.Event()
        self.failure: Exception | None = None
        self.key_worked = False
        self.kept: dict[str, Any] = {}
        self._failures = 0
        self._refusals = 0
        self._has_rate = rate is not None
        self._rate = Rate(RateLimit()) if rate is None else rate
        self._per_minute: int | None = None
        self._lock = threading.Lock()
        self._clock = clock
        self._config = config
        whole = self.patience.whole
        self._deadline = None if whole is None else clock() + whole

    def adopt(self, limit: RateLimit, provider: str, key: str | Sequence[str]) -> None:
        """Keep to a provider's limit from now on, together with all that use the same key.

        Args:
            limit: the provider's limit.
            provider: the provider.
            key: the configuration key that holds the credential, or the keys, if it is of several
                parts.
        """
        config = self._config or {}
        # as JSON, so that the end of one part is never the beginning of the next one
        credential = json.dumps([str(config.get(name)) for name in credential_keys(key)])
        name = f"{provider} {limit} {credential}"
        digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        with _LOCK:
            if not self._has_rate:
                self._has_rate = True
                self._rate = _RATES.setdefault(digest, Rate(limit))
                others = (rate for rate in _BUSY if rate is not self._rate)
                now = self._clock()
                _BUSY[:] = [self._rate, *(rate for rate in others if rate.is_busy(now))]
                self._per_minute = int(config.get("requests_per_minute") or 0) or None

    def start(self) -> bool:
        """Wait until a request may start, and count it; false if that is after the time is up."""
        while (wait := self._try_start()) > 0.0:
            if not self.has_time(wait):
                return False
            self.sleep(min(wait, _LONGEST_SLEEP))
        return True

    def seconds_left(self) -> float | None:
        """Seconds left for the whole command, at least a tenth; None is no bound."""
        return None if self._deadline is None else max(0.1, self._deadline - self._clock())

    def has_time(self, seconds: float) -> bool:
        """Whether a wait of so many seconds ends within the time for the whole command."""
        return self._deadline is None or self._clock() + seconds < self._deadline

    def _try_start(self) -> float:
        if self.stopped.is_set():
            return 0.0
        return self._rate.start(self._clock(), self._per_minute)

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the sync is stopped."""
        self.stopped.wait(seconds)

    def succeeded(self) -> None:
        """Tell that a request was answered well."""
        with self._lock:
            self.key_worked = True
            self._failures = self._refusals = 0

    def failed(self, failure: Exception, *, at_once: bool, patiently: bool) -> None:
        """Tell that a request has failed for good.

        A refusal of the key ends the sync (it refuses every further request), and so do requests
        in a row that fail: `_FAILURES_IN_A_ROW` that were tried patiently, else a provider that is
        down would be tried so for each of 50,000 conversations, or `_REFUSALS_IN_A_ROW` others.
        """
        with self._lock:
            self._failures += patiently
            self._refusals += not patiently
            many = self._failures >= _FAILURES_IN_A_ROW or self._refusals >= _REFUSALS_IN_A_ROW
            if self.failure is None and (at_once or many):
                self.failure = failure

    def pause(self, seconds: float) -> None:
        """Let no request of any worker start for so long."""
        self._rate.pause(self._clock() + seconds)

    def is_paused(self) -> bool:
        """Whether a rate limit that a provider named holds all requests back."""
        return self._rate.is_paused(self._clock())

    def learn(self, headers: Mapping[str, str]) -> None:
        """Adopt the limit that an answer names."""
        self._rate.learn(headers)


def budget_of(config: Mapping[str, Any], patience: Patience | None = None) -> CallBudget:
    """The budget of the source that was built with this very configuration object.

    Args:
        config: the configuration, as the CDK hands it to a component.
        patience: that of the budget, if it is the first who asks.
    """
    with _LOCK:
        budget = _BUDGETS.get(id(config))
        if budget is None:
            budget = _BUDGETS[id(config)] = CallBudget(patience=patience, config=config)
        return budget
