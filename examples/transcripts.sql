-- What was said in each call, as one text, the newest call first; of what `calls` and `call_transcripts` brought. It is DuckDB's dialect.
SELECT calls.provider, calls.id, calls.occurred_at,
       string_agg(coalesce(said.speaker || ': ', '') || said.content, chr(10) ORDER BY said.segment_index) AS conversation
FROM calls JOIN call_transcripts AS said ON said.provider = calls.provider AND said.call_id = calls.id
GROUP BY calls.provider, calls.id, calls.occurred_at ORDER BY calls.occurred_at DESC;
