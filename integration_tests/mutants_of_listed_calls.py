"""Mutants of what is listed now, and of what has gone."""

from integration_tests.mutant import SHARED, UNIT, Mutant, manifest, requests_of

LISTED = "integration_tests/test_listed_calls.py"
GONE = "integration_tests/test_gone_calls.py"
LISTING = f"{SHARED}/reading/listing.py"
RETRIEVER = f"{SHARED}/reading/listed_calls.py"
AIRCALL = "examples/source-aircall-calls/integration_tests/test_aircall.py"

MUTANTS_OF_LISTED_CALLS: tuple[Mutant, ...] = (
    Mutant(
        "one reading of a numbered list is believed",
        RETRIEVER,
        "Listing(1 if self.is_keyset else MOST_READINGS)",
        "Listing(1)",
        (f"{LISTED}::test_calls_that_are_deleted_while_the_list_is_read",),
    ),
    Mutant(
        "two readings agree that hold as many calls",
        LISTING,
        "now = self._reading.settled_now.periods()",
        'now = {m: s.split(":")[0] for m, s in self._reading.settled_now.periods().items()}',
        (
            f"{UNIT}/reading/test_listing.py",
            f"{LISTED}::test_a_call_that_slips_in_one_reading_and_another_that_slips_in_the_next",
        ),
    ),
    Mutant(
        "readings are compared with the first one only",
        LISTING,
        "        self._before = now\n",
        "        self._before = self._before or now\n",
        (
            f"{UNIT}/reading/test_listing.py",
            f"{LISTED}::test_calls_that_are_deleted_while_the_list_is_read",
        ),
    ),
    Mutant(
        "readings that never agree are believed",
        RETRIEVER,
        "        if not listing.agrees:\n",
        "        if not listing.agrees and not sync:\n",
        (f"{LISTED}::test_readings_that_never_agree_fail_the_stream",),
    ),
    Mutant(
        "only what the last reading lists comes out",
        LISTING,
        "        return len(self._came_out) > known\n",
        "        return len(self._came_out) > known and self._readings > 0\n",
        (f"{LISTED}::test_all_that_is_listed_comes_once_and_nothing_else_of_it",),
    ),
    Mutant(
        "what comes again comes out again",
        LISTING,
        "        return len(self._came_out) > known\n",
        "        return len(self._came_out) >= known\n",
        (f"{LISTED}::test_all_that_is_listed_comes_once_and_nothing_else_of_it",),
    ),
    Mutant(
        "calls that are made meanwhile cost a further reading",
        LISTING,
        "Inventory(self._until), seen=seen",
        'Inventory("9"), seen=seen',
        (
            f"{UNIT}/reading/test_listing.py",
            f"{LISTED}::test_calls_that_are_made_while_the_list_is_read_cost_no_further_reading",
        ),
    ),
    Mutant(
        "the second reading counts the calls of the first one as its own",
        LISTING,
        "        return self._reading.window.listed if self._is_under_way else 0\n",
        "        return self._reading.window.listed\n",
        (f"{UNIT}/reading/test_listing.py",),
    ),
    Mutant(
        "a wall does not fail the stream",
        RETRIEVER,
        "        if end.walled:\n",
        "        if end.walled and not listing:\n",
        (f"{LISTED}::test_a_wall_fails_the_stream_whatever_the_start_date", AIRCALL),
    ),
    Mutant(
        "a wall at a short page has calls gone that are there",
        RETRIEVER,
        "        if listing.reading.unlisted >= max(1, sync.so_far.in_force):\n",
        "        if listing.reading.unlisted >= 1000 * max(1, sync.so_far.in_force):\n",
        (f"{LISTED}::test_a_wall_at_a_short_page_fails_the_stream",),
    ),
    Mutant(
        "a total that is a few too high fails the stream",
        RETRIEVER,
        "        if listing.reading.unlisted >= max(1, sync.so_far.in_force):\n",
        "        if listing.reading.unlisted >= 1:\n",
        (f"{LISTED}::test_more_that_is_announced_than_listed_is_told",),
    ),
    Mutant(
        "what is made while the list is read makes a wall",
        f"{SHARED}/reading/one_reading.py",
        "        return (self.last_total or 0) - came - self.listed\n",
        "        return (self.last_total or 0) - 0 * came - self.listed\n",
        (f"{LISTED}::test_a_page_of_calls_that_are_made_while_the_list_is_read_is_no_wall",),
    ),
    Mutant(
        "a wall is read again",
        LISTING,
        "self.agrees or end.walled or",
        "self.agrees or",
        (
            f"{UNIT}/reading/test_listing.py",
            f"{LISTED}::test_a_wall_fails_the_stream_whatever_the_start_date",
        ),
    ),
    Mutant(
        "nothing listed of many announced is believed",
        RETRIEVER,
        "        if end.announced and listing.is_empty:\n",
        "        if end.announced and listing.is_empty and not sync:\n",
        (f"{LISTED}::test_an_empty_list_is_believed_only_if_nothing_is_announced",),
    ),
    Mutant(
        "an empty list fails the stream",
        RETRIEVER,
        "        if end.announced and listing.is_empty:\n",
        "        if listing.is_empty:\n",
        (f"{LISTED}::test_an_empty_list_is_believed_only_if_nothing_is_announced",),
    ),
    Mutant(
        "Skipcall: what is listed is that of the workspaces of the configuration",
        manifest("skipcall"),
        "        request_parameters: {}\n",
        "",
        (
            f"{LISTED}::test_no_setting_makes_the_list_shorter",
            requests_of("skipcall"),
        ),
    ),
    Mutant(
        "Amplemarket: a list by keys is read twice",
        manifest("amplemarket"),
        "      is_keyset: true\n",
        "",
        (f"{LISTED}::test_all_that_is_listed_comes_once_and_nothing_else_of_it",),
    ),
    Mutant(
        "a window of a list that is listed is not asked for",
        RETRIEVER,
        "self._windows = windows_of(self, self.windows)",
        "self._windows = None",
        (f"{AIRCALL}::test_what_is_listed_comes_once_also_behind_the_wall",),
    ),
    Mutant(
        "what the second reading lists again has gone",
        f"{SHARED}/reading/convergence.py",
        "gone_since(compared, self._readings[-1].settled_then.periods())",
        "gone_since(compared, self._readings[0].settled_then.periods())",
        (f"{UNIT}/reading/test_convergence.py",),
    ),
    Mutant(
        "what a wall hides has gone",
        f"{SHARED}/reading/convergence.py",
        "known = self._differing - self._behind_the_wall(end, before)",
        "known = before.keys()",
        (f"{UNIT}/reading/test_convergence.py",),
    ),
    Mutant(
        "what was settled since has gone",
        f"{SHARED}/reading/convergence.py",
        "self._readings[-1].settled_then.periods())",
        "self._readings[-1].settled_now.periods())",
        (f"{UNIT}/reading/test_convergence.py",),
    ),
    Mutant(
        "that calls have gone is not told",
        f"{SHARED}/reading/list_retriever.py",
        "        if gone := convergence.gone(end):\n",
        "        if (gone := convergence.gone(end)) and end.walled:\n",
        (f"{LISTED}::test_how_many_of_which_month_have_gone_is_told_once",),
    ),
    Mutant(
        "the sentence of what has gone has no bound",
        f"{SHARED}/reading/gone.py",
        "_MOST_MONTHS: Final = 12",
        "_MOST_MONTHS: Final = 1200",
        (f"{UNIT}/reading/test_gone.py",),
    ),
    Mutant(
        "SQL: a call that may be younger than the listing is marked",
        "examples/gone_calls.sql",
        "listed_calls.id IS NULL AND calls._airbyte_extracted_at < listing.began",
        "listed_calls.id IS NULL AND listing.began IS NOT NULL",
        (f"{GONE}::test_a_call_that_may_be_younger_than_the_listing_is_not_marked",),
    ),
    Mutant(
        "SQL: where nothing is listed all has gone",
        "examples/gone_calls.sql",
        "coalesce(listed_calls.id IS NULL AND calls._airbyte_extracted_at < listing.began, false)",
        "listed_calls.id IS NULL AND coalesce(calls._airbyte_extracted_at < listing.began, true)",
        (
            f"{GONE}::test_what_was_deleted_is_marked_and_nothing_else",
            f"{GONE}::test_each_provider_is_judged_by_its_own_listing",
        ),
    ),
)
