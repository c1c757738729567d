"""Mutants of what a sync leaves out: pages that nothing new can stand on, and when all are due."""

from integration_tests.mutant import SHARED, UNIT, Mutant, requests_of

WEEKS = "integration_tests/test_simulated_week.py"
RETRIEVER = f"{SHARED}/reading/list_retriever.py"
PROOF = f"{SHARED}/reading/order_proof.py"
RECENT = f"{SHARED}/reading/recent.py"
FULL_SCAN = f"{SHARED}/reading/full_scan.py"
LIST_RETRIEVER = f"{UNIT}/reading/test_list_retriever.py"
REQUESTER = f"{UNIT}/http/test_requester.py"
DUE = f"{WEEKS}::test_the_whole_list_is_read_when_it_is_due_and_never_else"


def week_of(provider: str, order: str) -> str:
    """A simulated week of a provider and an order."""
    return f"{WEEKS}::test_a_week_of_hourly_syncs[{provider}-{order}]"


MUTANTS_OF_RECENT: tuple[Mutant, ...] = (
    Mutant(
        "recent: the whole list is never read again",
        FULL_SCAN,
        "return began is None or not timedelta() <= now - began < timedelta(hours=hours)",
        "return began is None or not timedelta() <= now - began",
        (week_of("intercom", "created_desc"),),
    ),
    Mutant(
        "recent: the whole list is read by every sync",
        FULL_SCAN,
        "return began is None or not timedelta() <= now - began < timedelta(hours=hours)",
        "return began is None or now > began",
        (week_of("intercom", "created_desc"),),
    ),
    Mutant(
        "recent: no hours between two complete readings are taken for the default",
        FULL_SCAN,
        'return DEFAULT_HOURS if hours in (None, "") else int(hours)',
        "return int(hours or DEFAULT_HOURS)",
        (f"{DUE}[0-25]",),
    ),
    Mutant(
        "recent: a reading of the newest end counts as a complete one",
        RETRIEVER,
        "        if verdict is Verdict.ENOUGH:\n",
        "        if verdict is None:\n",
        (week_of("intercom", "created_desc"),),
    ),
    Mutant(
        "recent: the list is left after two pages, whatever they hold",
        PROOF,
        "return is_shown and is_over and holds_new and self._pages >= _FEWEST_PAGES",
        "return is_shown and holds_new and self._pages >= _FEWEST_PAGES",
        (week_of("intercom", "created_desc"), week_of("intercom", "updated_desc")),
    ),
    Mutant(
        "recent: the list is left after one page",
        PROOF,
        "_FEWEST_PAGES = 2",
        "_FEWEST_PAGES = 1",
        (f"{UNIT}/reading/test_order_proof.py",),
    ),
    Mutant(
        "recent: no margin behind the bound",
        PROOF,
        'times.lower_bound(earlier(f"{bound}Z", TOLERANCE))',
        "bound",
        (f"{UNIT}/reading/test_order_proof.py",),
    ),
    Mutant(
        "recent: a day of the lookback is not read",
        PROOF,
        'earlier(f"{bound}Z", TOLERANCE)',
        'earlier(f"{bound}Z", -24 * 60 * TOLERANCE)',
        (week_of("intercom", "created_desc"), week_of("skipcall", "created_asc")),
    ),
    Mutant(
        "recent: one of two orders is enough to end it",
        PROOF,
        "is_over = all(one.oldest and",
        "is_over = any(one.oldest and",
        (f"{UNIT}/reading/test_order_proof.py",),
    ),
    Mutant(
        "recent: any list is believed to be in order",
        PROOF,
        "return any(order.newest_first for order in self._orders.values())",
        "return self._pages >= 0",
        (week_of("skipcall", "shuffled"),),
    ),
    Mutant(
        "recent: sixteen pages are asked for at once, however near the bound is",
        PROOF,
        "return max(1, min(self._most_ahead, int(left / _CAUTION)))",
        "return max(16, int(left))",
        (week_of("intercom", "created_desc"),),
    ),
    Mutant(
        "recent: a list that comes oldest first is read to its end",
        RECENT,
        "return Verdict.OLDEST_FIRST if self._last > self._pages else Verdict.GO_ON",
        "return Verdict.GO_ON",
        (week_of("skipcall", "created_asc"), week_of("intercom", "updated_asc")),
    ),
    Mutant(
        "recent: backwards, the last page is enough",
        RECENT,
        "            if proof.page(self._moments_of(new)):\n"
        "                return True\n"
        "        before",
        "            return True\n        before",
        (week_of("skipcall", "created_asc"), week_of("intercom", "updated_asc")),
    ),
    Mutant(
        "recent: backwards from the announced last page, not from the real end",
        RECENT,
        "for page in _to_the_end(reader, last, self._in_force):",
        "for page in [reader.page(last)]:",
        (f"{UNIT}/reading/test_recent.py",),
    ),
    Mutant(
        "recent: backwards, one page more is asked for behind a short last one",
        RECENT,
        "if len(ids) < in_force and listed == announced_total(reader.strategy, page.response):",
        "if not ids and listed == announced_total(reader.strategy, page.response):",
        (f"{UNIT}/reading/test_recent.py",),
    ),
    Mutant(
        "recent: a call that comes again because the list moved is disorder",
        RECENT,
        'return [record for record in records if seen.add(digest_of(str(record.data.get("id"))))]',
        "return list(records)",
        (f"{UNIT}/reading/test_recent.py",),
    ),
    Mutant(
        "recent: a complete reading brings only what the lookback of the cursor holds",
        f"{SHARED}/reading/convergence.py",
        "        return times.lower_bound(earlier(self._before.cursor, self._lookback))\n",
        "        return bound\n",
        (
            f"{WEEKS}::test_a_week_in_which_the_whole_list_is_read_less_often_than_the_lookback_goes_back",
        ),
    ),
    Mutant(
        "recent: months that differ are not read again, seen in a week",
        f"{SHARED}/reading/convergence.py",
        "return not is_known or (month is not None and month in self._differing)",
        "return not is_known",
        (week_of("intercom", "created_desc"), week_of("amplemarket", "created_desc")),
    ),
    Mutant(
        "recent: a refused sort order ends the sync",
        f"{SHARED}/http/hints.py",
        "            if self._changes_nothing:\n                raise\n",
        "            raise\n",
        (f"{WEEKS}::test_an_order_that_is_asked_for_is_believed_as_far_as_pages_show_it",),
    ),
    Mutant(
        "recent: no sort order is asked for",
        f"{SHARED}/http/requester.py",
        "self._hints.send(asked, self._sender)",
        "self._sender.send(asked)",
        (f"{WEEKS}::test_an_order_that_is_asked_for_is_believed_as_far_as_pages_show_it",),
    ),
    Mutant(
        "recent: a sort order that is refused for a later page is the end of the list",
        f"{SHARED}/http/hints.py",
        "            if self._changes_nothing:\n",
        "            if self._changes_nothing or self._were_taken:\n",
        (LIST_RETRIEVER,),
    ),
    Mutant(
        "recent: a list whose sort order is refused later is not begun anew",
        f"{SHARED}/http/hints.py",
        "        if self._were_taken:\n",
        "        if not self._parameters:\n",
        (REQUESTER,),
    ),
    Mutant(
        "recent: it is asked for each page whether the sort order is what is refused",
        f"{SHARED}/http/hints.py",
        "self._changes_nothing = self._were_taken",
        "self._changes_nothing = False",
        (REQUESTER,),
    ),
    Mutant(
        "recent: calls of one minute show an order",
        f"{SHARED}/reading/list_order.py",
        "return self.newest_first and not self.oldest_first",
        "return self.newest_first",
        (LIST_RETRIEVER,),
    ),
    Mutant(
        "recent: a list that begins with old calls holds no new ones",
        PROOF,
        "holds_new = any(times.sort_key(moment) >= self._bound for moment in newest)",
        "holds_new = bool(newest)",
        (f"{UNIT}/reading/test_order_proof.py", requests_of("amplemarket")),
    ),
    Mutant(
        "recent: backwards, a page that is refused because the list shrank fails the sync",
        RECENT,
        "with closing(before) as pages, suppress(PageRefusedError):",
        "with closing(before) as pages, suppress(StopIteration):",
        (f"{UNIT}/reading/test_recent.py",),
    ),
    Mutant(
        "recent: an import at the oldest end hides the direction",
        f"{SHARED}/reading/list_order.py",
        "self.oldest_first = _between(moment, self.newest) <= TOLERANCE",
        "self.oldest_first = False",
        (f"{UNIT}/reading/test_list_order.py",),
    ),
    Mutant(
        "recent: backwards, the same page again is no doubt",
        RECENT,
        "                if not (new := _new_of(reversed(page.records), seen)):\n"
        "                    return False\n",
        "                new = _new_of(reversed(page.records), seen)\n",
        (LIST_RETRIEVER,),
        (
            "            if not (new := _new_of(reversed(page.records), seen)):\n"
            "                return False  # under another number there stand other records, or it"
            " is a wall\n",
            "            new = _new_of(reversed(page.records), seen)\n",
        ),
    ),
    Mutant(
        "recent: a state of the future bounds from there on",
        RETRIEVER,
        "bound = min(self._bound(stream_slice), times.lower_bound(now))",
        "bound = self._bound(stream_slice)",
        (LIST_RETRIEVER,),
    ),
    Mutant(
        "recent: a complete reading that saw what no sync saw hides changes",
        f"{SHARED}/reading/list_state.py",
        "cursor=None if cursor_field and _is_later(seen, state.get(cursor_field)) else seen,",
        "cursor=seen,",
        (LIST_RETRIEVER,),
    ),
    Mutant(
        "what has come while a list was read makes a wall of a full last page",
        f"{SHARED}/reading/numbered.py",
        "return self._fewest - self._read",
        "return (self._total or 0) - self._read",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "what has come while a list of links was read makes a wall of a full last page",
        f"{SHARED}/reading/chained.py",
        "(self._fewest or 0) - self._read",
        "(self._total or 0) - self._read",
        (f"{UNIT}/reading/test_chained.py",),
    ),
)
