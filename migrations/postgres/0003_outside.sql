-- A call whose wait was too long and that somebody outside answered, whom the plan names: no operator has, and
-- it counts as the release that it stands for (docs/FIGURES.md: `sent_outside`).

-- The calls that arrived from from_ms on and before until_ms, each with its outcome (none while it is
-- undecided) and its wait from asking for an operator to the answer or the end (none when none was asked for).
CREATE OR REPLACE FUNCTION desk_calls(of_history integer, from_ms bigint, until_ms bigint, short_call_ms bigint)
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
    WHERE kind IN ('operator_answered', 'message_left', 'callback_asked', 'away_answered', 'ended')
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
        WHEN decided.kind = 'away_answered' THEN 'busy_released'
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
