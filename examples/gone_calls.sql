-- Which calls have gone at the provider: those that the last sync of `listed_calls` did not list.
--
-- A call that was read within the hour before that sync, or after it, is not judged: it may be younger. Nor is any call of a provider
-- of which nothing is listed. Put it into a view, for each provider or over all of them; it is DuckDB's dialect.
SELECT calls.*, coalesce(listed_calls.id IS NULL AND calls._airbyte_extracted_at < listing.began, false) AS is_gone
FROM calls LEFT JOIN listed_calls USING (provider, id)
LEFT JOIN (SELECT provider, min(_airbyte_extracted_at) - INTERVAL 1 HOUR AS began FROM listed_calls GROUP BY provider) AS listing USING (provider);
