/* Does money in transit ever count twice, or get lost from the books?
 *
 * Three accounts of one owner, MOVES transfers, up to two on the way at once, between any two of
 * the accounts and of any amount that the books call usable. The venue may lose a transfer, take
 * it late, take a part of it, and credit the destination some time after it debited the source.
 * The bot may crash between any two steps.
 *
 * -D variants, each of which must break a claim:
 *   CREDIT_AT_SEND     the destination is credited when the request leaves
 *   VOID_ON_TIMEOUT    no answer is taken for no effect
 *   ALL_OR_NOTHING     an effect is booked with the amount that was asked for
 *   REPORTED_ONLY      what the venue reports may be spent, whatever is pending
 *   TWO_TRANSACTIONS   the debit is not in the transaction that makes the intent durable
 *   NO_FLOOR           the floor of the source is not kept
 */

#define TOTAL 6
#define FLOOR 1
#define SLOTS 2
#define MOVES 3

/* The books. Durable. */
short ledger[3] = {3, 1, 2};
bool is_open[SLOTS] = false;
byte source[SLOTS] = 0;
byte target[SLOTS] = 0;
byte amount[SLOTS] = 0;
byte pending[SLOTS] = 0;
bool is_booked[SLOTS] = false; /* the debit is made */
byte moves = 0;
bool has_settled_part = false; /* for a witness */

/* Memory of the running bot. */
bool is_ready[SLOTS] = false;  /* written, not yet sent */
byte crashes = 0;

/* The venue. In stage 0 the window is open, in 1 it is over, in 2 every effect is shown. */
mtype:request = {none, flying, debited, credited, gone};
mtype:request request[SLOTS] = none;
byte effect[SLOTS] = 0;
byte stage[SLOTS] = 0;
short wallet[3] = {3, 1, 2};
bool breached = false; /* a source went below its floor, or was asked to go below 0 */

/* What the venue reports can only forbid what the books allow, so it is not modelled. */
#ifdef REPORTED_ONLY
#define balance(a) wallet[a]
#else
#define balance(a) ledger[a]
#endif
#ifdef NO_FLOOR
#define usable(a) balance(a)
#else
#define usable(a) (balance(a) > FLOOR -> balance(a) - FLOOR : 0)
#endif

#define in_books (ledger[0] + ledger[1] + ledger[2] + pending[0] + pending[1])
#define agrees (ledger[0] == wallet[0] && ledger[1] == wallet[1] && ledger[2] == wallet[2])
#define is_quiet (!is_open[0] && !is_open[1])

inline choose(i) {
    if
    :: source[i] = 0; target[i] = 1
    :: source[i] = 0; target[i] = 2
    :: source[i] = 1; target[i] = 2
    :: source[i] = 1; target[i] = 0
    :: source[i] = 2; target[i] = 0
    :: source[i] = 2; target[i] = 1
    fi;
    if
    :: amount[i] = 1
    :: amount[i] = 2
    fi
}

inline debit(i) {
    ledger[source[i]] = ledger[source[i]] - amount[i];
    pending[i] = amount[i];
#ifdef CREDIT_AT_SEND
    ledger[target[i]] = ledger[target[i]] + amount[i];
#endif
    is_booked[i] = true
}

inline plan(i) {
    choose(i);
    if
    :: amount[i] <= usable(source[i]) ->
        moves++;
        is_open[i] = true;
        is_ready[i] = true;
        stage[i] = 0;
        request[i] = none;
        effect[i] = 0;
#ifndef TWO_TRANSACTIONS
        debit(i)
#endif
    :: else -> moves++; source[i] = 0; target[i] = 0; amount[i] = 0 /* the chance passes */
    fi
}

/* One transaction: what took effect goes to the target, the rest returns to the source. */
inline post(i, x) {
    if
    :: is_booked[i] ->
        ledger[source[i]] = ledger[source[i]] + pending[i] - (x);
#ifdef CREDIT_AT_SEND
        ledger[target[i]] = ledger[target[i]] - pending[i];
#endif
        ledger[target[i]] = ledger[target[i]] + (x)
    :: else
    fi;
    has_settled_part = has_settled_part || (effect[i] == 1 && amount[i] == 2);
    pending[i] = 0;
    is_booked[i] = false;
    is_open[i] = false;
#ifndef VOID_ON_TIMEOUT /* nothing can happen to this request any more */
    request[i] = none;
    effect[i] = 0;
    stage[i] = 0;
    source[i] = 0;
    target[i] = 0;
    amount[i] = 0
#endif
}

#ifdef ALL_OR_NOTHING
#define found(i) amount[i]
#else
#define found(i) effect[i]
#endif

#ifdef VOID_ON_TIMEOUT
#define is_absent(i) (request[i] == none || request[i] == flying || request[i] == gone)
#else
#define is_absent(i) (stage[i] == 2 && request[i] != credited)
#endif

#define is_idle(i) (!is_open[i] && request[i] != flying && request[i] != debited)
#define is_sent(i) (is_open[i] && !is_ready[i])

active proctype Bot() {
end:
    do
    :: atomic { is_idle(0) && moves < MOVES -> plan(0) }
    :: atomic { is_idle(1) && moves < MOVES -> plan(1) }
#ifdef TWO_TRANSACTIONS
    :: atomic { is_ready[0] && !is_booked[0] -> debit(0) }
    :: atomic { is_ready[1] && !is_booked[1] -> debit(1) }
#endif
    :: atomic { is_ready[0] -> is_ready[0] = false; request[0] = flying }
    :: atomic { is_ready[1] -> is_ready[1] = false; request[1] = flying }
    /* Evidence counts at once, absence only when every effect would be shown. */
    :: atomic { is_sent(0) && request[0] == credited -> post(0, found(0)) }
    :: atomic { is_sent(1) && request[1] == credited -> post(1, found(1)) }
    :: atomic { is_sent(0) && is_absent(0) -> post(0, 0) }
    :: atomic { is_sent(1) && is_absent(1) -> post(1, 0) }
    :: atomic { crashes < 1 -> crashes++; is_ready[0] = false; is_ready[1] = false }
    od
}

inline take(i) {
    if
    :: effect[i] = amount[i]
    :: effect[i] = 1 /* in part, where more was asked */
    fi;
    if
    :: wallet[source[i]] >= effect[i] ->
        breached = breached || wallet[source[i]] < effect[i] + FLOOR;
        wallet[source[i]] = wallet[source[i]] - effect[i];
        request[i] = debited
    :: else -> /* the venue refuses what the bot should never have asked for */
        breached = true;
        effect[i] = 0;
        request[i] = gone
    fi
}

inline carry(i) {
    if
    :: request[i] == flying -> request[i] = gone
    :: request[i] == flying && stage[i] == 0 -> take(i)
    :: request[i] == debited ->
        wallet[target[i]] = wallet[target[i]] + effect[i];
        request[i] = credited
    fi
}

active proctype Venue() {
end:
    do
    :: atomic { request[0] == flying || request[0] == debited -> carry(0) }
    :: atomic { request[1] == flying || request[1] == debited -> carry(1) }
    od
}

#define may_age(i) (is_open[i] && (stage[i] == 0 || (stage[i] == 1 && request[i] != debited)))

active proctype Clock() {
end:
    do
    :: atomic { may_age(0) -> stage[0]++ }
    :: atomic { may_age(1) -> stage[1]++ }
    od
}

ltl conservation { [] (in_books == TOTAL) }
ltl agreement { [] (is_quiet -> agrees) }
ltl usable_not_negative { [] (ledger[0] >= FLOOR && ledger[1] >= FLOOR && ledger[2] >= FLOOR) }
ltl no_double_spend { [] !breached }
ltl settles { [] (is_open[0] -> <> !is_open[0]) }

/* Witnesses: each says that something cannot happen, and must be refuted. */
ltl never_spends_what_arrived { [] !(wallet[1] == 3 && ledger[1] == 3) }
ltl never_settles_a_part { [] !has_settled_part }
ltl never_two_on_the_way { [] !(request[0] == flying && request[1] == flying) }
ltl never_between_accounts { [] !(request[0] == debited && request[1] == debited) }
