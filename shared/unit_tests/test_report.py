import threading

from calls_shared.report import SyncReport


def test_sentences() -> None:
    report = SyncReport()
    assert report.sentences() == []
    report.unreadable("started_at")
    report.note("{count} were skipped ({x}).")
    report.note("The list changed {count} times.", 3)
    report.unreadable("notes")
    report.unreadable("started_at")
    report.note("{count} were skipped ({x}).")
    expected = [
        "2 were skipped ({x}).",
        "The list changed 3 times.",
        "2 values could not be read into the column started_at; they stand in provider_record"
        " only.",
        "1 values could not be read into the column notes; they stand in provider_record only.",
    ]
    assert report.sentences() == expected
    assert report.sentences() == expected  # telling it changes nothing


def test_unknown_words_are_one_sentence() -> None:
    report = SyncReport()
    for word in ("zigzag", "parked", "zigzag"):
        report.unknown_word("status", word)
    report.unknown_word("direction", "zigzag")
    report.note("A note.")
    assert report.sentences() == [
        "A note.",
        "Words of the provider that are not known: status 'zigzag' (2), status 'parked' (1),"
        " direction 'zigzag' (1). Such a status is unknown and such a direction null; the words"
        " stand in provider_record.",
    ]


def test_words_without_end_take_no_memory_without_end() -> None:
    report = SyncReport()
    for number in range(3000):
        report.unknown_word("status", f"{number:04d}" + "x" * 1000)
    report.unknown_word("status", "0019" + "x" * 1000)
    (sentence,) = report.sentences()
    assert "'0000xx" in sentence
    assert f"'0019{'x' * 56}' (2), others (2980)." in sentence
    assert "'0020" not in sentence


def test_several_threads_count_together() -> None:
    report = SyncReport()

    def count() -> None:
        for _ in range(2000):
            report.note("{count} notes.")
            report.unreadable("notes")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    notes, unreadable = report.sentences()
    assert notes == "8000 notes."
    assert unreadable.startswith("8000 values could not be read into the column notes;")


def test_new_sentences_are_told_once() -> None:
    report = SyncReport()
    assert report.new_sentences() == []
    report.note("{count} notes.")
    report.unreadable("notes")
    unreadable = "1 values could not be read into the column notes; they stand in provider_record"
    assert report.new_sentences() == ["1 notes.", f"{unreadable} only."]
    assert report.new_sentences() == []
    report.note("{count} notes.")  # a second stream: the count is another one
    report.note("More.")
    assert report.new_sentences() == ["2 notes.", "More."]
    assert report.new_sentences() == []
