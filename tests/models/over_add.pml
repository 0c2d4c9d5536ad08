/* May a second add go out beside one whose effect is unknown, and still nothing breaks?
 *
 * A position may get BUDGET units, one per add. While an add is unknown, one emergency add may go
 * out beside it. Both slots are settled by rows of the history that have no id: a row belongs to
 * an intent if its amount, to the last digit, is the one that was sent. Reads may fail until
 * patience ends; such an add counts as applied in the budget. The bot may crash between any steps.
 *
 * -D variants, each of which must break a claim:
 *   SLOT_NOT_COUNTED    the budget forgets what is open in the other slot
 *   GAVE_UP_IS_FREE     an add that gave up no longer counts in the budget
 *   SHARED_FINGERPRINT  the over-add has the same amount as the add it stands beside
 *   OVER_ADD_IN_MEMORY  a restart forgets that there was an over-add
 *   NO_WAIT             absence is believed while the request may still take effect
 *   ONE_SLOT_SETTLED    the resolver looks at the first slot only
 */

#define BUDGET 2
#define SENDS 4 /* more than the budget takes */
#define ADD 0
#define OVER 1

/* Durable. */
bool is_open[2] = false;
byte which[2] = 0;   /* the send that a slot holds */
byte spent = 0;      /* known to have taken effect */
byte given_up = 0;
byte over_adds = 0;  /* beside the present add */

/* Memory of the running bot. */
bool is_ready[2] = false; /* journalled, not yet sent */
bool remembers = false;   /* that there was an over-add */

/* The world. In stage 0 the window is open, in 1 it is over, in 2 every effect is shown. */
mtype:request = {unborn, flying, taken, shown, gone};
mtype:request request[SENDS] = unborn;
byte stage[SENDS] = 0;
byte print[SENDS] = 0;
byte sends = 0;
byte effects = 0;
byte crashes = 0;

#ifdef SLOT_NOT_COUNTED
#define open_adds 0
#else
#define open_adds (is_open[ADD] + is_open[OVER])
#endif

#ifdef GAVE_UP_IS_FREE
#define fits (spent + open_adds + 1 <= BUDGET)
#else
#define fits (spent + given_up + open_adds + 1 <= BUDGET)
#endif

#ifdef OVER_ADD_IN_MEMORY
#define had_over_add remembers
#else
#define had_over_add (over_adds > 0)
#endif

#ifdef NO_WAIT
#define PROVEN 0
#else
#define PROVEN 2
#endif

#define mine(i) which[i]
#define row(k, i) (request[k] == shown && print[k] == print[mine(i)])
#define has_row(i) (row(0, i) || row(1, i) || row(2, i) || row(3, i))

inline write(i) {
    is_open[i] = true;
    is_ready[i] = true;
    which[i] = sends;
#ifdef SHARED_FINGERPRINT
    print[sends] = (i == OVER -> print[mine(ADD)] : sends);
#else
    print[sends] = sends;
#endif
    sends++
}

inline close_slot(i) {
    is_open[i] = false
}

active proctype Bot() {
end:
    do
    :: atomic { !is_open[ADD] && fits && sends < SENDS ->
        over_adds = 0;
        remembers = false;
        write(ADD) }
    :: atomic { is_open[ADD] && !is_ready[ADD] && !is_open[OVER] && !had_over_add && fits &&
        sends < SENDS ->
        over_adds++;
        remembers = true;
        write(OVER) }
    :: atomic { is_ready[ADD] -> is_ready[ADD] = false; request[mine(ADD)] = flying }
    :: atomic { is_ready[OVER] -> is_ready[OVER] = false; request[mine(OVER)] = flying }

    :: atomic { is_open[ADD] && !is_ready[ADD] && has_row(ADD) -> spent++; close_slot(ADD) }
    :: atomic { is_open[ADD] && !is_ready[ADD] && stage[mine(ADD)] >= PROVEN && !has_row(ADD) ->
        close_slot(ADD) }
    :: atomic { is_open[ADD] && !is_ready[ADD] && stage[mine(ADD)] == 2 ->
        given_up++; close_slot(ADD) }
#ifndef ONE_SLOT_SETTLED
    :: atomic { is_open[OVER] && !is_ready[OVER] && has_row(OVER) -> spent++; close_slot(OVER) }
    :: atomic { is_open[OVER] && !is_ready[OVER] && stage[mine(OVER)] >= PROVEN &&
        !has_row(OVER) -> close_slot(OVER) }
    :: atomic { is_open[OVER] && !is_ready[OVER] && stage[mine(OVER)] == 2 ->
        given_up++; close_slot(OVER) }
#endif

    :: atomic { crashes < 2 -> crashes++;
        is_ready[ADD] = false;
        is_ready[OVER] = false;
        remembers = false }
    od
}

inline carry(k) {
    if
    :: request[k] == flying -> request[k] = gone
    :: request[k] == flying && stage[k] == 0 -> request[k] = taken; effects++
    :: request[k] == taken -> request[k] = shown
    fi
}

active proctype Venue() {
end:
    do
    :: atomic { request[0] == flying || request[0] == taken -> carry(0) }
    :: atomic { request[1] == flying || request[1] == taken -> carry(1) }
    :: atomic { request[2] == flying || request[2] == taken -> carry(2) }
    :: atomic { request[3] == flying || request[3] == taken -> carry(3) }
    od
}

/* A send ages from when it is journalled, so a late first byte finds its window over. */
#define may_age(k) (k < sends && (stage[k] == 0 || (stage[k] == 1 && request[k] != taken)))

active proctype Clock() {
end:
    do
    :: atomic { may_age(0) -> stage[0]++ }
    :: atomic { may_age(1) -> stage[1]++ }
    :: atomic { may_age(2) -> stage[2]++ }
    :: atomic { may_age(3) -> stage[3]++ }
    od
}

ltl budget { [] (effects <= BUDGET) }
ltl one_over { [] (over_adds <= 1) }
ltl truth { [] (spent <= effects) }
ltl add_settles { [] (is_open[ADD] -> <> !is_open[ADD]) }
ltl over_settles { [] (is_open[OVER] -> <> !is_open[OVER]) }

/* Witnesses: each says that something cannot happen, and must be refuted. */
ltl never_full { [] (effects < BUDGET) }
ltl never_both_applied { [] !(over_adds == 1 && spent == 2 && !is_open[ADD] && !is_open[OVER]) }
ltl never_gave_up_with_effect { [] !(given_up == 1 && effects == 1 && sends == 1) }
