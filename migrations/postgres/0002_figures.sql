-- The contract's telephone figures in SQL (docs/FIGURES.md), for whoever asks the store itself: a fold of its
-- own over the entries, which must agree with the program's to the call.

-- The calls that arrived from from_ms on and before until_ms, each with its outcome (none while it is
-- undecided) and its wait from asking for an operator to the answer or the end (none when none was asked for).
CREATE FUNCTION desk_calls(of_history integer, from_ms bigint, until_ms bigint, short_call_ms bigint)
RETURNS TABLE (
    call text, arrived_ms bigint, number text, counted boolean, outcome text, wait_ms bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
WITH arrived AS MATERIALIZED (
    -- A call that an agent placed and passed on has an age when the desk takes it for its own.
    SELECT entry.call, entry.at_ms - coalesce(entry.t_ms, 0) AS at_ms,
        fact_of(body) -> 'event' ->> 'number' AS number,
        (fact_of(body) -> 'event' ->> 'counted')::boolean AS counted
    FROM entry
    WHERE history = of_history AND kind = 'arrived' AND fact = 'call'
        AND at_ms >= from_ms AND at_ms < until_ms + 86400000
        AND entry.at_ms - coalesce(entry.t_ms, 0) >= from_ms
        AND entry.at_ms - coalesce(entry.t_ms, 0) < until_ms
),
step AS MATERIALIZED (
    SELECT arrived.call, entry.seq, entry.kind, entry.t_ms, said.event,
        entry.kind = 'announced' AND said.event ->> 'purpose' = 'busy' AS busy
    FROM arrived
    JOIN entry ON entry.history = of_history AND entry.call = arrived.call AND entry.fact = 'call'
    CROSS JOIN LATERAL (
        SELECT CASE WHEN entry.kind IN ('announced', 'ended') THEN fact_of(entry.body) -> 'event' END
    ) AS said (event)
),
decided AS (
    SELECT DISTINCT ON (step.call) step.call, seq, kind, t_ms,
        event ->> 'by' AS by,
        coalesce(event -> 'cause' ->> 'cause', event ->> 'cause') AS cause
    FROM step
    WHERE kind IN ('operator_answered', 'message_left', 'callback_asked', 'ended')
    ORDER BY step.call, seq
),
before AS (
    SELECT step.call,
        bool_or(step.busy) AS busy,
        (array_agg(step.t_ms ORDER BY step.seq) FILTER (
            WHERE step.busy OR step.kind IN ('operator_asked', 'queued', 'offer_made')))[1] AS asked_ms,
        bool_or(step.kind = 'found_closed') AS closed,
        bool_or(step.kind IN ('menu_entered', 'entry_began')) AS menu,
        bool_or(step.kind IN ('announced', 'accepted')) AS heard
    FROM step
    LEFT JOIN decided ON decided.call = step.call
    WHERE decided.seq IS NULL OR step.seq < decided.seq
    GROUP BY step.call
)
SELECT arrived.call, arrived.at_ms, arrived.number, arrived.counted,
    CASE
        WHEN decided.kind IS NULL THEN NULL
        WHEN decided.kind = 'operator_answered' THEN
            CASE WHEN before.busy THEN 'answered_after_busy' ELSE 'answered' END
        WHEN decided.kind IN ('message_left', 'callback_asked') THEN 'message_taken'
        WHEN decided.cause IN ('fault', 'restart') THEN 'failed'
        WHEN decided.cause = 'hung_up' AND decided.by <> 'caller' THEN 'failed'
        WHEN before.asked_ms IS NOT NULL AND decided.cause = 'hung_up' THEN
            CASE WHEN NOT before.busy AND decided.t_ms <= short_call_ms
                THEN 'short_abandoned' ELSE 'abandoned' END
        WHEN before.asked_ms IS NOT NULL AND decided.cause = 'transferred' THEN 'abandoned'
        WHEN before.asked_ms IS NULL AND before.closed THEN 'closed'
        WHEN decided.cause = 'hung_up' THEN 'menu_left'
        WHEN before.busy THEN 'busy_released'
        WHEN decided.cause IN ('transferred', 'time_used_up') THEN 'failed'
        WHEN decided.cause IN ('lines_full', 'channels_full', 'no_capacity') THEN 'blocked'
        WHEN before.asked_ms IS NULL AND decided.cause = 'menu_done' THEN 'menu_served'
        WHEN before.asked_ms IS NULL AND before.menu AND decided.cause = 'not_answered' THEN 'menu_served'
        WHEN before.asked_ms IS NULL AND decided.cause = 'closed_told' THEN 'closed'
        WHEN before.heard THEN 'busy_released'
        ELSE 'blocked'
    END,
    CASE
        WHEN decided.kind IS NULL THEN NULL
        WHEN before.asked_ms IS NOT NULL THEN greatest(decided.t_ms - before.asked_ms, 0)
        WHEN decided.kind = 'operator_answered' THEN 0
    END
FROM arrived
JOIN before ON before.call = arrived.call
LEFT JOIN decided ON decided.call = arrived.call;
END;

-- The settings by which a history reads the contract: those it noted last, and the agreed ones for the rest.
CREATE FUNCTION desk_settings(of_history integer) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
SELECT '{"short_call_ms": 3000, "short_call_excluded_from": "abandon", "released_counts_as": "busy",
    "failed_counts_as": "abandoned", "menu_left_counts_as": "excluded",
    "message_taken_counts_as": "excluded", "answer_target_ms": 20000}'::jsonb
    || coalesce((
        SELECT fact_of(body) -> 'event' -> 'settings' FROM entry
        WHERE history = of_history AND fact = 'figures' AND kind = 'settings_changed'
        ORDER BY seq DESC LIMIT 1), '{}');
END;

-- Periods that are left out: entered by one person, approved by another, and not withdrawn.
CREATE FUNCTION desk_exclusions(of_history integer)
RETURNS TABLE (exclusion integer, from_ms bigint, until_ms bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
WITH declared AS (
    SELECT kind, fact_of(body) -> 'event' AS event FROM entry
    WHERE history = of_history AND fact = 'figures'
)
SELECT (event ->> 'exclusion')::integer, (event ->> 'from')::bigint, (event ->> 'until')::bigint
FROM declared AS entered
WHERE kind = 'exclusion_entered'
    AND EXISTS (SELECT FROM declared WHERE kind = 'exclusion_approved'
        AND declared.event -> 'exclusion' = entered.event -> 'exclusion')
    AND NOT EXISTS (SELECT FROM declared WHERE kind = 'exclusion_withdrawn'
        AND declared.event -> 'exclusion' = entered.event -> 'exclusion');
END;

-- A month (such as '2026-10') by the history's own zone, settings and exclusions.
CREATE FUNCTION month_figures(of_history integer, month text)
RETURNS TABLE (
    arrived bigint, undecided bigint, left_out bigint, excluded bigint, outcomes jsonb,
    abandon_part bigint, abandon_total bigint, busy_part bigint, busy_total bigint,
    offered bigint, in_time bigint, answer_wait_ms bigint, longest_wait_ms bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
WITH setting AS (
    SELECT (s ->> 'short_call_ms')::bigint AS short_call_ms,
        (s ->> 'answer_target_ms')::bigint AS answer_target_ms,
        s ->> 'short_call_excluded_from' AS short_out, s ->> 'released_counts_as' AS released,
        s ->> 'failed_counts_as' AS failed, s ->> 'menu_left_counts_as' AS menu_left,
        s ->> 'message_taken_counts_as' AS message_taken
    FROM desk_settings(of_history) AS s
),
span AS (
    SELECT (extract(epoch FROM first AT TIME ZONE timezone) * 1000)::bigint AS from_ms,
        (extract(epoch FROM (first + interval '1 month') AT TIME ZONE timezone) * 1000)::bigint AS until_ms
    FROM history, (SELECT (month || '-01')::timestamp) AS midnight (first)
    WHERE id = of_history
),
called AS (
    SELECT desk_calls.*, setting.*,
        EXISTS (SELECT FROM desk_exclusions(of_history) AS x
            WHERE x.from_ms <= arrived_ms AND arrived_ms < x.until_ms) AS is_excluded,
        CASE outcome
            WHEN 'answered' THEN 'answered'
            WHEN 'answered_after_busy' THEN 'busy'
            WHEN 'abandoned' THEN 'abandoned'
            WHEN 'short_abandoned' THEN 'short'
            WHEN 'busy_released' THEN released
            WHEN 'blocked' THEN released
            WHEN 'failed' THEN failed
            WHEN 'menu_left' THEN menu_left
            WHEN 'message_taken' THEN message_taken
            ELSE 'excluded'
        END AS counts_as
    FROM setting, span, desk_calls(of_history, span.from_ms, span.until_ms, setting.short_call_ms)
),
mine AS (SELECT * FROM called WHERE counted AND NOT is_excluded),
by_outcome AS (
    SELECT coalesce(jsonb_object_agg(outcome, n), '{}') AS outcomes
    FROM (SELECT outcome, count(*) AS n FROM mine WHERE outcome IS NOT NULL GROUP BY outcome) AS counted
)
SELECT count(*) FILTER (WHERE counted AND NOT is_excluded),
    count(*) FILTER (WHERE counted AND NOT is_excluded AND outcome IS NULL),
    count(*) FILTER (WHERE NOT counted),
    count(*) FILTER (WHERE counted AND is_excluded),
    (SELECT outcomes FROM by_outcome),
    count(*) FILTER (WHERE counts AND counts_as = 'abandoned'),
    count(*) FILTER (WHERE counts AND counts_as IN ('answered', 'busy', 'abandoned')),
    count(*) FILTER (WHERE counts AND counts_as = 'busy'),
    count(*) FILTER (WHERE counts AND (counts_as IN ('answered', 'busy', 'abandoned')
        OR counts_as = 'short' AND short_out = 'abandon')),
    count(*) FILTER (WHERE counts AND wait_ms IS NOT NULL),
    count(*) FILTER (WHERE counts AND wait_ms <= answer_target_ms
        AND outcome IN ('answered', 'answered_after_busy')),
    coalesce(sum(wait_ms) FILTER (WHERE counts AND outcome IN ('answered', 'answered_after_busy')), 0)::bigint,
    coalesce(max(wait_ms) FILTER (WHERE counts), 0)
FROM called, LATERAL (SELECT counted AND NOT is_excluded AND outcome IS NOT NULL) AS _ (counts);
END;
