-- Five questions about calls, for any of the four providers, or all of them in one table.
-- Below each question stands what a provider's calls can tell.
--
-- `make demo` fills a file to try them on, `.venv/bin/python -m examples.questions` asks them all.

-- Calls that the provider has marked as deleted are left out here: look at them apart, by deleted_at.
CREATE OR REPLACE TEMPORARY VIEW calls AS
SELECT *
FROM (
    SELECT * FROM intercom.calls
    UNION ALL
    SELECT * FROM openphone.calls
    UNION ALL
    SELECT * FROM amplemarket.calls
    UNION ALL
    SELECT * FROM skipcall.calls
) AS every_call
WHERE deleted_at IS NULL;

-- 1. Was it answered?
--    intercom: yes
--    openphone: yes, but for a forwarded call without an answer time
--    amplemarket: yes, where the flag is set
--    skipcall: only that it was not, or that it goes on; an ended call may have been answered or not
SELECT
    provider,
    count(CASE WHEN answered THEN 1 END) AS answered,
    count(CASE WHEN NOT answered THEN 1 END) AS not_answered,
    count(answered) AS known,
    count(*) AS calls
FROM calls
GROUP BY provider
ORDER BY provider;

-- 2. What became of it?
--    intercom: yes
--    openphone: yes
--    amplemarket: only completed and no-answer; busy and failed cannot be told apart from it
--    skipcall: yes; completed does not mean answered
SELECT provider, status, answered, count(*) AS calls
FROM calls
GROUP BY provider, status, answered
ORDER BY provider, status, answered;

-- 3. Did two people talk?
--    intercom: only that it was answered; a machine is not told from a person
--    openphone: yes for inbound calls; for outbound ones a machine is not told from a person
--    amplemarket: yes
--    skipcall: only for calls that nobody answered, or that go on
SELECT
    provider,
    count(
        CASE
            WHEN answered
                AND answered_by_type IS DISTINCT FROM 'machine'
                AND (answered_by_type IS DISTINCT FROM 'ai' OR user_id IS NOT NULL)
            THEN 1
        END
    ) AS two_people_talked,
    count(answered) AS known,
    count(answered_by_type) AS answerer_known
FROM calls
GROUP BY provider
ORDER BY provider;

-- 4. Who of us was on it, and how long?
--    intercom: yes, by id; talk time
--    openphone: yes, by name and e-mail; talk time
--    amplemarket: yes, by id; duration as stated
--    skipcall: yes, by name; duration, which includes ringing
SELECT
    provider,
    user_id,
    max(user_name) AS user_name,
    count(*) AS calls,
    sum(coalesce(talk_seconds, duration_seconds)) AS seconds,
    count(coalesce(talk_seconds, duration_seconds)) AS timed,
    count(talk_seconds) AS by_talk_time
FROM calls
WHERE user_id IS NOT NULL
    AND answered IS DISTINCT FROM FALSE  -- else the duration is ringing alone
GROUP BY provider, user_id
ORDER BY provider, user_id;

-- 5. How long did they wait?
--    intercom: yes
--    openphone: yes
--    amplemarket: no
--    skipcall: only for calls that nobody answered
SELECT
    provider,
    answered,
    count(wait_seconds) AS known,
    avg(wait_seconds) AS average_seconds,
    max(wait_seconds) AS longest_seconds
FROM calls
WHERE direction = 'inbound' AND wait_seconds IS NOT NULL
GROUP BY provider, answered
ORDER BY provider, answered;
