//! The classes of faults that have broken telephone exchanges, and what holds each here. docs/SECURITY.md is written
//! from it; `table` checks that every test that is named is there and is run.

/// One class.
pub struct Row {
    /// What is tried.
    pub class: &'static str,
    /// What is due.
    pub due: &'static str,
    /// What holds it: a file of this repository and the tests in it.
    pub held: &'static [(&'static str, &'static [&'static str])],
    /// What is not held, and why; empty when nothing is known.
    pub open: &'static str,
}

/// In the order in which a packet meets them.
pub const ROWS: &[Row] = &[
    Row {
        class: "A session description that is malformed: fmtp, payload types, 1,000 m-lines, crypto",
        due: "64 kB, 32 m-lines, 128 attributes; payload types 0 to 127; a valid call works afterwards",
        held: &[
            (
                "src/sdp/parse.rs",
                &["bounds_hold_to_the_line", "broken_descriptions_are_refused_with_their_line"],
            ),
            ("src/sdp/tests.rs", &["no_bytes_make_it_panic"]),
            ("tests/fuzz.rs", &["no_sdp_breaks_a_promise", "no_key_in_sdp_breaks_a_promise"]),
            (
                "tests/guard/heads.rs",
                &["a_datagram_that_lies_about_its_body_is_refused_and_the_next_call_works"],
            ),
        ],
        open: "",
    },
    Row {
        class: "Bodies of parts: empty, unterminated, nested, NUL",
        due: "at most 16 parts are looked at, no recursion",
        held: &[
            (
                "src/sip/body.rs",
                &["sdp_is_found_alone_and_among_parts", "the_seventeenth_part_is_not_looked_at"],
            ),
            ("tests/fuzz.rs", &["no_body_of_parts_breaks_a_promise"]),
        ],
        open: "",
    },
    Row {
        class: "Over-long and repeated headers: 10,000 Via, 60 kB in one, 100 Authorization",
        due: "4xx or 513 within 10 ms, bounded memory",
        held: &[
            (
                "src/sip/tests/hostile.rs",
                &[
                    "hostile_messages_are_refused_for_what_they_are",
                    "hostile_datagrams_cost_little",
                    "no_bytes_make_it_panic",
                ],
            ),
            (
                "tests/guard/heads.rs",
                &["heads_beyond_every_bound_are_answered_within_10_ms_and_cost_no_memory"],
            ),
            (
                "tests/wire/torture.rs",
                &[
                    "every_torture_message_in_a_datagram_gets_what_is_due",
                    "every_torture_message_on_a_connection_gets_what_is_due",
                ],
            ),
            ("tests/fuzz.rs", &["no_message_breaks_a_promise", "no_via_breaks_a_promise"]),
        ],
        open: "",
    },
    Row {
        class: "Content-Length: negative, duplicate, 2^31 to 2^64, pipelined, a request hidden in another on a trunk's connection",
        due: "refused and the connection closed; nothing hidden is obeyed",
        held: &[
            (
                "src/sip/tests/hostile.rs",
                &[
                    "a_stream_is_cut_where_content_length_says_and_nowhere_else",
                    "nothing_comes_out_of_a_broken_stream",
                ],
            ),
            (
                "tests/guard/heads.rs",
                &[
                    "a_request_that_hides_in_another_on_a_trunks_connection_is_no_call",
                    "a_datagram_that_lies_about_its_body_is_refused_and_the_next_call_works",
                ],
            ),
            ("tests/fuzz.rs", &["no_stream_is_cut_in_two_ways"]),
        ],
        open: "",
    },
    Row {
        class: "Authorization: missing, twice, empty, 100 of them, auth-int, weaker algorithms",
        due: "a challenge or a refusal; no state before who it is is proved",
        held: &[
            (
                "src/sip/digest/tests.rs",
                &["what_is_not_right_is_refused", "of_two_answers_for_our_realm_neither_counts"],
            ),
            ("src/sip/tests/hostile.rs", &["a_hundred_authorizations_are_read_and_kept_apart"]),
            (
                "tests/guard/heads.rs",
                &["heads_beyond_every_bound_are_answered_within_10_ms_and_cost_no_memory"],
            ),
            ("tests/fuzz.rs", &["no_authorization_is_taken_for_the_password"]),
        ],
        open: "`[sip] digest = \"md5\"` is the default, since widespread phones give up on a challenge by SHA-256. On the way \
               between, MD5 is as good as the password is long; `\"both\"` where phones bear it, and TLS, are better.",
    },
    Row {
        class: "Idle and slow connections, TCP and TLS, half handshakes",
        due: "others' calls: less than 1 % more fail; bounds for each source and in all",
        held: &[
            ("tests/wire/idle.rs", &["thousands_of_silent_connections_keep_nobody_out"]),
            ("tests/wire/secure.rs", &["half_a_handshake_is_closed_in_time"]),
            ("tests/wire/garbage.rs", &["many_idle_connections_keep_nobody_out"]),
            ("tests/guard/crowd.rs", &["calls_go_on_beside_silent_and_slow_connections"]),
        ],
        open: "10,000 at once are tried by scripts/idle, not in every run.",
    },
    Row {
        class: "Connect, INVITE, reset at random instants",
        due: "every gauge back at 0 within 64·T1 + 5 s, all descriptors given back",
        held: &[
            (
                "tests/guard/crowd.rs",
                &["calls_whose_connections_are_reset_at_any_instant_leave_nothing"],
            ),
            ("tests/wire/garbage.rs", &["connections_reset_at_any_instant_leave_nothing"]),
            ("src/sip/endpoint/tests/hostile.rs", &["tampered_messages_leave_nothing_behind"]),
            ("tests/sim.rs", &["no_caller_is_lost_or_stuck_in_any_world_1_of_4"]),
        ],
        open: "",
    },
    Row {
        class: "Floods of REGISTER, OPTIONS, garbage",
        due: "calls go on, memory +64 MB at most",
        held: &[
            ("tests/peers/flood.rs", &["calls_go_on_in_a_flood_of_garbage"]),
            (
                "tests/wire/garbage.rs",
                &["garbage_in_datagrams_disturbs_nobody", "garbage_on_connections_disturbs_nobody"],
            ),
            ("tests/wire/storm.rs", &["a_thousand_phones_register_at_once_and_calls_go_on"]),
            (
                "src/daemon/inlet.rs",
                &[
                    "a_bye_overtakes_a_flood_of_new_calls_and_the_flood_is_bounded",
                    "a_flood_of_the_largest_datagrams_takes_a_bounded_memory_and_the_stop_still_gets_in",
                ],
            ),
        ],
        open: "20,000 a second for a minute is tried by scripts/flood; a line that is full before the desk is the network's to defend.",
    },
    Row {
        class: "A peer that challenges for ever, redirects to itself, forks without end, loops REFER",
        due: "2 digests, 5 places, 8 early dialogs, one transfer at a time",
        held: &[
            (
                "src/sip/trunk/line/tests.rs",
                &["a_password_goes_to_its_own_realm_and_twice_at_most"],
            ),
            ("src/sip/leg/redirect.rs", &["places_are_tried_in_order_once_and_five_at_most"]),
            ("src/sip/endpoint/tests/calling.rs", &["redirections_and_challenges_are_refusals"]),
            ("src/sip/endpoint/tests/referring.rs", &["a_transfer_that_nobody_ends_is_ended"]),
        ],
        open: "",
    },
    Row {
        class: "Each method × no credentials, another realm, another user's",
        due: "the table of the test; nothing is kept, no phone rings",
        held: &[
            (
                "tests/guard/speakers.rs",
                &["no_method_does_anything_for_who_has_not_the_right_credentials_of_its_own_name"],
            ),
            (
                "src/sip/endpoint/tests/guarding.rs",
                &["nobody_gets_in_without_the_right_credentials_of_the_name_it_speaks_in"],
            ),
            (
                "src/sip/endpoint/tests/admission.rs",
                &["what_strangers_get", "strays_are_not_answered"],
            ),
        ],
        open: "",
    },
    Row {
        class: "Proved to be one, and From, To, P-Asserted-Identity or Contact says another; a trunk's address forged",
        due: "403, or the phone sees who it is; a trunk and a fixed phone only by address and transport",
        held: &[
            (
                "tests/guard/speakers.rs",
                &["an_account_speaks_for_itself_alone_whatever_its_headers_say"],
            ),
            (
                "src/sip/endpoint/tests/admission.rs",
                &[
                    "an_account_calls_with_its_password_and_in_its_own_name",
                    "addresses_that_are_believed",
                ],
            ),
            ("src/sip/endpoint/tests/registering.rs", &["nobody_registers_another"]),
            ("src/engine/caller.rs", &["an_extension_is_its_account_whatever_it_asserts"]),
        ],
        open: "By UDP, who can forge a trunk's or a fixed phone's source address begins calls in its name (it never sees an answer, \
               so none is heard). Take `transport = \"tls\"` with `tls_names`, or let the network drop forged sources.",
    },
    Row {
        class: "Digest leak: a called phone challenges us",
        due: "no digest ever goes there; only the trunk's own realm, from the trunk's own address",
        held: &[
            (
                "tests/guard/secrets.rs",
                &[
                    "a_called_phone_that_challenges_us_gets_no_digest_in_no_realm_before_and_inside_a_call",
                ],
            ),
            ("src/sip/endpoint/tests/outside.rs", &["nobody_but_the_carrier_is_answered"]),
            (
                "src/sip/trunk/line/tests.rs",
                &["a_password_goes_to_its_own_realm_and_twice_at_most"],
            ),
        ],
        open: "",
    },
    Row {
        class: "Finding out which accounts there are",
        due: "the same answer, and medians within 1 ms",
        held: &[
            (
                "tests/guard/secrets.rs",
                &["nobody_finds_out_over_the_wire_which_accounts_there_are"],
            ),
            (
                "src/sip/endpoint/tests/guarding.rs",
                &["a_missing_account_and_a_wrong_password_cannot_be_told_apart"],
            ),
        ],
        open: "",
    },
    Row {
        class: "Guessing passwords",
        due: "blocked within 1 s after 10 in a minute, by the true source; an outsider locks nobody out; a challenge is no failure",
        held: &[
            (
                "tests/wire/blocked.rs",
                &["a_guesser_is_blocked_within_a_second_and_let_in_by_a_command"],
            ),
            (
                "src/sip/endpoint/tests/guarding.rs",
                &[
                    "ten_wrong_passwords_are_seen_at_once_and_a_challenge_is_no_failure",
                    "an_outsider_cannot_shut_out_an_address_that_it_forges",
                    "who_tries_many_accounts_is_shut_out_as_a_whole_but_the_phones_behind_its_address_are_not",
                ],
            ),
            (
                "src/people/throttle.rs",
                &["the_sixth_guess_waits_and_each_further_one_twice_as_long"],
            ),
        ],
        open: "Thousands of addresses that try each account a few times are slowed, not stopped: the alert MadoguchiPasswordsGuessed and \
               `networks` of `[[accounts.rules]]` are the answer.",
    },
    Row {
        class: "RTP bleed and injection",
        due: "0 bytes to an attacker on another host, before the phone speaks and at a re-INVITE too; nobody else is heard",
        held: &[
            (
                "tests/guard/sound.rs",
                &[
                    "who_only_knows_a_port_gets_no_byte_before_the_phone_speaks_nor_at_a_reinvite",
                    "a_desk_that_believes_sound_from_anywhere_gives_it_to_the_first_who_asks",
                ],
            ),
            ("src/rtp/source.rs", &["strangers_are_believed_late_or_never"]),
            (
                "src/io/media/tests/mod.rs",
                &[
                    "a_stranger_is_neither_heard_nor_sent_to",
                    "a_phone_behind_nat_is_found_unless_that_is_forbidden",
                ],
            ),
            (
                "tests/phones/talk.rs",
                &["a_stranger_who_knows_the_port_is_not_heard_and_hears_nothing"],
            ),
            ("tests/fuzz.rs", &["no_packet_of_a_stranger_is_heard_or_changes_anything"]),
        ],
        open: "On the phone's own host, or behind its own NAT, five packets before the phone's first are believed until the address of its \
               description speaks. Who forges the phone's very address is heard: encrypt (`encryption`). `learn_source = \"anywhere\"` opens \
               this to any host.",
    },
    Row {
        class: "Forged and replayed SRTP",
        due: "the call stays, none is heard",
        held: &[
            ("tests/guard/sound.rs", &["sound_that_nobody_sealed_is_not_heard_and_the_call_stays"]),
            (
                "src/srtp/tests.rs",
                &[
                    "a_replayed_packet_is_refused_and_so_is_one_too_late",
                    "every_flipped_bit_is_noticed",
                ],
            ),
            ("tests/srtp/main.rs", &["what_libsrtp_seals_is_opened"]),
            ("tests/fuzz.rs", &["nobody_between_gets_keys_or_keeps_a_handshake_from_its_end"]),
        ],
        open: "",
    },
    Row {
        class: "Strangers who begin a DTLS handshake at a port that a phone behind a NAT is awaited at",
        due: "the phone is heard; 4 strangers at once, and who does not say our cookie for 0.5 s gives way",
        held: &[(
            "src/io/media/tests/web.rs",
            &[
                "a_phone_behind_its_nat_is_heard_though_a_stranger_began_before_it",
                "strangers_who_only_begin_keep_no_phone_out_for_long",
                "a_phone_that_has_shown_itself_keeps_its_place_on_a_slow_line",
                "a_stranger_that_shakes_hands_costs_no_call",
            ],
        )],
        open: "With ICE, which browsers have, a stranger is not listened to at all.",
    },
    Row {
        class: "Lengths, wraps, SSRC changes and 49 days of RTP, RTCP and telephone-event",
        due: "no panic, no lost key, no leap",
        held: &[
            (
                "tests/fuzz.rs",
                &[
                    "no_packet_of_sound_breaks_a_promise",
                    "no_control_packet_breaks_a_promise",
                    "no_key_is_told_twice_or_lost",
                ],
            ),
            (
                "src/rtp/outgoing.rs",
                &["what_we_say_ourselves_goes_over_the_wraps_and_past_49_days_without_a_leap"],
            ),
            ("src/rtp/event.rs", &["one_press_is_one_key_through_loss_and_disorder_at_any_clock"]),
            ("tests/wire/garbage.rs", &["garbage_at_a_media_port_disturbs_nobody"]),
        ],
        open: "",
    },
    Row {
        class: "CR, LF and NUL in what is copied; private headers from outside, folded or compact",
        due: "every message is made anew; no line begins with an outsider's text, and no header passes that is not listed",
        held: &[
            (
                "tests/guard/copied.rs",
                &["nothing_that_an_outsider_writes_begins_a_line_at_a_phone"],
            ),
            (
                "src/sip/tests/hostile.rs",
                &[
                    "no_written_value_begins_a_line",
                    "the_answer_to_a_broken_request_carries_no_line_of_the_sender",
                ],
            ),
            ("src/sip/header.rs", &["every_spelling_of_a_name_is_that_name"]),
        ],
        open: "",
    },
    Row {
        class: "SUBSCRIBE: Expires 0, renewals that cross, more than an account's share",
        due: "256 of an account, 20,000 in all; ended once, told once",
        held: &[
            (
                "tests/guard/watchers.rs",
                &[
                    "one_account_holds_no_more_subscriptions_than_its_share_and_the_oldest_is_told",
                    "expires_0_is_told_once_and_leaves_nothing_also_when_it_crosses_a_renewal",
                ],
            ),
            (
                "src/sip/endpoint/tests/subscribing.rs",
                &[
                    "one_account_cannot_fill_the_table",
                    "who_may_not_watch_is_refused_without_state",
                ],
            ),
        ],
        open: "",
    },
    Row {
        class: "Names and numbers as `<script>`, `=1+1`, `'; --`, 10 kB, on wall, files, log and in SQL",
        due: "text everywhere, no formula, no number in the log",
        held: &[
            ("tests/pages/wallboard.rs", &["a_callers_name_is_text_whatever_it_is"]),
            (
                "tests/pages/panel.rs",
                &["a_note_is_text_whatever_is_in_it_and_stays_with_its_call_while_another_rings"],
            ),
            ("src/base/csv.rs", &["rows_are_written_with_mark_quotes_and_no_formula"]),
            ("src/report/tests.rs", &["a_name_is_neither_markup_nor_a_formula"]),
            (
                "src/sip/subscription/document.rs",
                &["a_caller_who_writes_markup_is_shown_as_text_and_a_withheld_one_not_at_all"],
            ),
            ("src/base/private.rs", &["a_number_never_reaches_a_log_line"]),
        ],
        open: "",
    },
    Row {
        class: "HTTP: role × address, requests forged by other pages, bodies, slow readers",
        due: "the table of the test; 401, 403, 413; a reader who takes nothing loses its place",
        held: &[
            ("src/io/http/tests/people.rs", &["every_address_is_walked_with_every_role"]),
            ("src/io/http/auth.rs", &["only_our_own_page_may_change_something_by_cookie"]),
            (
                "src/io/http/tests.rs",
                &[
                    "nothing_is_told_without_the_token",
                    "a_reader_who_reads_nothing_holds_nobody_up",
                ],
            ),
            ("src/io/http/guard.rs", &["a_reader_who_takes_nothing_loses_its_place"]),
            ("tests/wire/garbage.rs", &["garbage_at_the_web_page_disturbs_nobody"]),
            (
                "tests/people/sign_on.rs",
                &["an_identity_provider_that_lies_or_dawdles_lets_nobody_in"],
            ),
        ],
        open: "",
    },
    Row {
        class: "Toll fraud: unauthenticated INVITE, forged From, 302, REFER and Diversion to premium numbers, dialling out of menus, an outsider's transfer",
        due: "0 calls outside; bounds on calls and minutes; an alarm",
        held: &[
            (
                "tests/guard/toll.rs",
                &[
                    "strangers_and_outsiders_cause_no_call_outside_in_any_way",
                    "callers_in_a_talk_and_phones_that_may_not_cause_no_call_outside_and_the_alarm_counts_them",
                ],
            ),
            (
                "src/pbx/tests/placed.rs",
                &[
                    "who_may_not_call_outside_causes_no_leg_at_all",
                    "one_extension_has_so_many_calls_and_so_much_time_and_no_more",
                ],
            ),
            (
                "src/sip/endpoint/tests/redirecting.rs",
                &["no_phone_sends_a_call_outside", "a_carrier_sends_no_call_on_not_even_to_us"],
            ),
            ("tests/phones/transfers.rs", &["nobody_is_sent_outside_or_nowhere"]),
            ("tests/grafana/rules.rs", &["every_alert_fires_when_it_is_due_and_not_before"]),
        ],
        open: "A phone of ours that may call outside, in strange hands, does so within its bounds (`calls`, `minutes_a_day`). Numbers that no \
               rule of the plan fits are refused with 404 and leave no event: the alarm does not count them.",
    },
    Row {
        class: "Identifiers that can be guessed",
        due: "at least 64 bits from a cryptographic source: tags, branches, Call-ID, nonces",
        held: &[
            ("src/base/rng.rs", &["below_stays_below_and_a_seed_repeats"]),
            ("src/sip/digest/tests.rs", &["a_nonce_grows_old_and_a_restart_makes_it_stale"]),
            ("tests/guard/table.rs", &["what_names_calls_is_drawn_anew_and_long_enough"]),
        ],
        open: "",
    },
    Row {
        class: "Rights on the machine; secrets in files, arguments and logs",
        due: "no root, no capability; a secret that others can read is refused; none is logged",
        held: &[
            (
                "tests/install/unit.rs",
                &["the_unit_leaves_open_no_more_than_a_telephone_exchange_needs"],
            ),
            (
                "src/config/tests.rs",
                &[
                    "secrets_that_others_can_read_are_refused_with_the_mend",
                    "accounts_are_read_and_faults_named_without_showing_a_secret",
                ],
            ),
            ("src/trace/tests.rs", &["credentials_are_never_shown_in_no_mode"]),
            (
                "tests/wire/watched.rs",
                &["the_live_trace_shows_a_registration_without_its_password"],
            ),
        ],
        open: "The history's file is not encrypted by itself: numbers and names stand in it until they are erased (HISTORY.md). Encrypt the disk.",
    },
    Row {
        class: "A fault in our own code: panic, overflow, memory",
        due: "it costs one call; sums are checked in release; no `unsafe`",
        held: &[
            ("src/engine/tests.rs", &["a_panic_over_one_caller_costs_no_other_caller_its_end"]),
            ("src/io/media/tests/mod.rs", &["what_goes_wrong_costs_nobody_else"]),
            ("tests/tidy.rs", &["what_strangers_reach_cannot_panic_and_nothing_is_unsafe"]),
        ],
        open: "`unsafe` in crates that we use is theirs; the C parts are SQLite, libopus and mimalloc.",
    },
    Row {
        class: "A crate with a known weakness, a licence that nobody wanted, a crate that is not what it seems",
        due: "licences, sources and doubles are checked in every run, every part with its version is listed in the package",
        held: &[
            (
                "tests/guard/bill.rs",
                &["the_bill_names_every_part_that_is_compiled_in_with_its_sum_and_no_other"],
            ),
            ("scripts/test", &["cargo deny --offline"]),
            (
                "tests/pages/libraries.rs",
                &["libraries_are_those_of_the_lock_file_to_the_byte_and_need_no_login"],
            ),
        ],
        open: "Known weaknesses (RustSec) are checked only where their list is at hand, see below.",
    },
    Row {
        class: "Disk full, clock set, freeze, database away, trunk lost, `kill -9`",
        due: "calls go on, every accepted call has one outcome",
        held: &[
            ("tests/kill/disk.rs", &["on_a_full_disk_calls_go_on_and_the_health_page_says_so"]),
            (
                "tests/kill/main.rs",
                &[
                    "killed_at_fifty_instants_every_call_that_was_told_anything_has_exactly_one_outcome",
                ],
            ),
            (
                "tests/kill/recording.rs",
                &[
                    "on_a_full_disk_of_recordings_calls_go_on_and_recording_comes_back_with_the_room",
                ],
            ),
            ("tests/site/cut.rs", &["a_server_that_freezes_harms_nobody_and_is_caught_up_with"]),
            (
                "tests/peers/servers.rs",
                &[
                    "a_call_goes_by_the_second_server_within_four_seconds_when_the_first_is_full_or_silent",
                ],
            ),
            (
                "src/io/http/tests/clock.rs",
                &["waits_follow_the_monotonic_clock_when_the_wall_clock_is_set"],
            ),
        ],
        open: "",
    },
];
