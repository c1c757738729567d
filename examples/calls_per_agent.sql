-- How many calls each of your people had, how many of them were answered, and how long they talked; of what `calls` and `users` brought. Whoever has left is no
-- user any more, and stands there by the name in the call or by the id. It is DuckDB's dialect.
SELECT calls.provider, calls.user_id, max(coalesce(users.name, calls.user_name, calls.user_id)) AS agent,
       count(*) AS calls, count(CASE WHEN calls.answered THEN 1 END) AS answered, sum(calls.talk_seconds) AS talk_seconds
FROM calls LEFT JOIN users ON users.provider = calls.provider AND users.id = calls.user_id
WHERE calls.user_id IS NOT NULL AND calls.deleted_at IS NULL
GROUP BY calls.provider, calls.user_id ORDER BY count(*) DESC, calls.provider, calls.user_id;
