"""Mutants of the rules by which lists converge, and of what travels with the manifest."""

from integration_tests.mutant import SHARED, UNIT, Mutant, requests_of

LISTS = "integration_tests/test_lists.py"
CONVERGENCE = "integration_tests/test_convergence.py"
WALK = "integration_tests/test_list_walk.py"
RUNNERS = "integration_tests/test_runners.py"
LIFE = "integration_tests/test_signs_of_life.py"
ANNOUNCED = f"{LISTS}::test_whatever_is_announced_all_calls_come_in_the_first_sync"

MUTANTS_OF_LISTS: tuple[Mutant, ...] = (
    Mutant(
        "a total that is too small ends the list",
        f"{SHARED}/reading/numbered.py",
        "            page.number == self._announced_end\n"
        "            and page.size < self._in_force\n"
        "            and self._total == self._seen()\n",
        "            self._total is not None\n            and self._total <= self._seen()\n",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "a total that is too small ends the list, seen by what arrives",
        f"{SHARED}/reading/numbered.py",
        "            page.number == self._announced_end\n"
        "            and page.size < self._in_force\n"
        "            and self._total == self._seen()\n",
        "            self._total is not None\n            and self._total <= self._seen()\n",
        (ANNOUNCED,),
    ),
    Mutant(
        "a total that is too high has the list read twice in every sync",
        f"{SHARED}/reading/convergence.py",
        "shrank or (self.reads_everything and missed)",
        "shrank or missed",
        (ANNOUNCED,),
    ),
    Mutant(
        "a total that is too high holds the state",
        f"{SHARED}/reading/list_retriever.py",
        "        self._list_state = convergence.state(end, sync.began)\n",
        "        if convergence.announced_in_vain():\n"
        "            return\n"
        "        self._list_state = convergence.state(end, sync.began)\n",
        (f"{UNIT}/reading/test_list_retriever.py",),
    ),
    Mutant(
        "a page count that is too small ends the list",
        f"{SHARED}/reading/numbered.py",
        "            and page.size < self._in_force\n            and self._total == self._seen()\n",
        "",
        (ANNOUNCED,),
    ),
    Mutant(
        "the page after a full last one is skipped",
        f"{SHARED}/reading/numbered.py",
        "            and page.size < self._in_force\n",
        "",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "the page after a full last one is skipped, seen by the requests",
        f"{SHARED}/reading/numbered.py",
        "            and page.size < self._in_force\n",
        "",
        (requests_of("intercom"),),
    ),
    Mutant(
        "a page in the middle that stays empty ends the list",
        f"{SHARED}/reading/numbered.py",
        "        return any(self._holds_records(probe) for probe in probes)\n",
        "        return not probes\n",
        (f"{LISTS}::test_a_page_in_the_middle_stays_empty",),
    ),
    Mutant(
        "what comes twice because the list moves makes a wall of its end",
        f"{SHARED}/reading/numbered.py",
        "return self._fewest - self._read",
        "return self._fewest - self._seen()",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "what comes twice because a list of links moves makes a wall of its end",
        f"{SHARED}/reading/chained.py",
        "return (self._fewest or 0) - self._read",
        "return (self._fewest or 0) - len(self._seen)",
        (f"{UNIT}/reading/test_chained.py",),
    ),
    Mutant(
        "calls that come behind a short last page are not told",
        f"{SHARED}/reading/list_retriever.py",
        "        if self._may_hide_new_ones(sync):\n",
        "        if self._may_hide_new_ones(sync) and not end:\n",
        (f"{UNIT}/reading/test_list_retriever.py",),
    ),
    Mutant(
        "a surplus that has not grown is told with every complete reading",
        f"{SHARED}/reading/list_retriever.py",
        "        has_grown = so_far.behind > last.unlisted\n",
        "        has_grown = so_far.behind > 0\n",
        (f"{UNIT}/reading/test_list_retriever.py",),
    ),
    Mutant(
        "a wall is not told",
        f"{SHARED}/reading/numbered.py",
        "return self._smallest == self._in_force <= behind",
        "return self._smallest == self._in_force < 0",
        (f"{CONVERGENCE}::test_a_wall_newest_first",),
    ),
    Mutant(
        "months behind a wall are compared",
        f"{SHARED}/reading/convergence.py",
        "(differing(before, now) & before.keys()) - hidden",
        "differing(before, now) & before.keys()",
        (f"{UNIT}/reading/test_convergence.py",),
    ),
    Mutant(
        "one month is left out of the comparison",
        f"{SHARED}/reading/inventory.py",
        "for p in before.keys() | now.keys() if",
        "for p in sorted(before.keys() | now.keys())[1:] if",
        (f"{UNIT}/reading/test_inventory.py", f"{UNIT}/reading/test_convergence.py"),
    ),
    Mutant(
        "one month is left out of the comparison, seen by what arrives",
        f"{SHARED}/reading/inventory.py",
        "for p in before.keys() | now.keys() if",
        "for p in sorted(before.keys() | now.keys())[:-1] if",
        (f"{CONVERGENCE}::test_a_deletion_that_another_call_hides", WALK),
    ),
    Mutant(
        "a month that only the last reading listed is not compared",
        f"{SHARED}/reading/inventory.py",
        "for p in before.keys() | now.keys() if",
        "for p in now if",
        (f"{UNIT}/reading/test_inventory.py",),
    ),
    Mutant(
        "what is listed at a wall and not compared does not come out",
        f"{SHARED}/reading/convergence.py",
        "return self._known is not None and period(created, MONTHS) not in self._known",
        "return False",
        (f"{CONVERGENCE}::test_calls_that_come_before_a_wall_because_others_went",),
    ),
    Mutant(
        "a page far behind the end that fails ends the sync",
        f"{SHARED}/reading/numbered.py",
        "            if is_told or failure.failure_type is FailureType.config_error:\n"
        "                raise\n",
        "            raise failure\n",
        (f"{LISTS}::test_a_page_far_behind_the_end_that_cannot_be_had",),
    ),
    Mutant(
        "the last page that comes again is a circle, although all was seen",
        f"{SHARED}/reading/numbered.py",
        "        if repeated > 1 and self._all_seen():\n            return True\n",
        "",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "a first reading of a phone number that is killed begins again",
        f"{SHARED}/reading/progress.py",
        "            redone = () if place.reached is None else again\n",
        "            redone = again\n",
        (f"{UNIT}/reading/test_progress.py",),
    ),
    Mutant(
        "a year that is given out again counts as read at once",
        f"{SHARED}/reading/progress.py",
        "            redone = () if place.reached is None else again\n",
        "            redone = ()\n",
        (f"{UNIT}/reading/test_progress.py",),
    ),
    Mutant(
        "a month that differs is noted and not emitted",
        f"{SHARED}/reading/convergence.py",
        "return not is_known or (month is not None and month in self._differing)",
        "return not is_known",
        (f"{UNIT}/reading/test_convergence.py", WALK),
    ),
    Mutant(
        "the inventory is taken from an incomplete pass",
        f"{SHARED}/reading/list_retriever.py",
        "        verdict = yield from sync.read(newest_end)\n",
        "        for call in sync.read(newest_end):\n"
        "            yield call\n"
        "            self._list_state = sync.convergence.state(sync.so_far.end, sync.began)\n"
        "        verdict = Verdict.GO_ON\n",
        (f"{UNIT}/reading/test_list_retriever.py",),
    ),
    Mutant(
        "calls that are not settled are compared",
        f"{SHARED}/reading/inventory.py",
        "is_settled = created is None or created[:-1] < self.until",
        "is_settled = created is None or bool(created)",
        (f"{UNIT}/reading/test_inventory.py",),
    ),
    Mutant(
        "a call that was created late and is older than the cursor does not come out",
        f"{SHARED}/reading/convergence.py",
        "if created is not None and created[:-1] >= self._until:",
        "if created is not None and created < self._until < created:",
        (f"{UNIT}/reading/test_convergence.py",),
    ),
    Mutant(
        "a state of 0.1.0 is believed",
        f"{SHARED}/reading/state.py",
        'return state if _OWN_FORM.fullmatch(value) else {**state, "complete": {"cursor": value}}',
        'return {**state, "complete": {"cursor": value}}',
        (requests_of("intercom"),),
    ),
    Mutant(
        "a state that was written by hand says nothing",
        f"{SHARED}/reading/state.py",
        'return state if _OWN_FORM.fullmatch(value) else {**state, "complete": {"cursor": value}}',
        "return state",
        (requests_of("skipcall"),),
    ),
    Mutant(
        "the scope of a list is written too early",
        f"{SHARED}/reading/list_retriever.py",
        "        return {**kept, **cursor, **self._list_state.as_state()}\n",
        "        scope = scope_of(self.config, self.scope)\n"
        '        return {**kept, **cursor, **self._list_state.as_state(), "scope": scope}\n',
        (f"{UNIT}/reading/test_list_retriever.py", CONVERGENCE),
    ),
    Mutant(
        "OpenPhone: the scope is written too early",
        f"{SHARED}/reading/fan_out.py",
        "if superseded is not None and not self._is_done:",
        "if superseded is not None and not self._has_asked:",
        (f"{UNIT}/reading/test_fan_out.py",),
    ),
    Mutant(
        "another scope goes by the bound of the one before",
        f"{SHARED}/reading/convergence.py",
        "self.reads_everything = before.cursor is None or self.is_other_scope",
        "self.reads_everything = before.cursor is None",
        (f"{UNIT}/reading/test_convergence.py", CONVERGENCE),
    ),
    Mutant(
        "OpenPhone: years of conversations are not compared",
        f"{SHARED}/reading/oldest_first.py",
        "return differing(years, then.periods())",
        "return differing(years, years)",
        (f"{UNIT}/reading/test_oldest_first.py",),
    ),
    Mutant(
        "OpenPhone: years of conversations are not compared, seen by what arrives",
        f"{SHARED}/reading/oldest_first.py",
        "return differing(years, then.periods())",
        "return differing(years, years)",
        (f"{CONVERGENCE}::test_a_conversation_that_slips_between_two_pages",),
    ),
    Mutant(
        "no cap in the components",
        f"{SHARED}/reading/state_gate.py",
        "state = capped(changed, self._fields, self._ceiling)",
        "state = dict(changed)",
        (f"{UNIT}/reading/test_state_gate.py",),
    ),
    Mutant(
        "no cap in the components, seen by another runner",
        f"{SHARED}/reading/state_gate.py",
        "state = capped(changed, self._fields, self._ceiling)",
        "state = dict(changed)",
        (f"{RUNNERS}::test_source_declarative_manifest",),
    ),
    Mutant(
        "two sources of one key have two rates",
        f"{SHARED}/http/budget.py",
        "_RATES.setdefault(digest, Rate(limit))",
        "Rate(limit)",
        (f"{RUNNERS}::test_two_sources_at_once_keep_one_rate",),
    ),
    Mutant(
        "a silence of a sync that began with a state stays silent",
        f"{SHARED}/protocol/source.py",
        "inner.put, states)",
        "inner.put, [])",
        (f"{LIFE}::test_a_silence_of_a_sync_that_began_with_a_state",),
    ),
    Mutant(
        "a state that comes again counts its records again",
        f"{SHARED}/protocol/heartbeat.py",
        "replace(known, sourceStats=None)",
        "known",
        (LIFE,),
    ),
    Mutant(
        "an id that was seen is taken for a new one",
        f"{SHARED}/reading/seen.py",
        "        if place < len(shard) and shard[place] == digest:\n            return False\n",
        "",
        (f"{UNIT}/reading/test_seen.py",),
    ),
)
