/* Does one intent take effect at most once, whatever is lost, late, unanswered or crashed?
 *
 * One bot, one venue, one clock. The bot moves one durable record through the states of the
 * journal and may crash between any two steps; the venue may lose a request, take it until its
 * window is over, answer truly, answer nonsense or not at all, and show an effect late. A tick is
 * the unit of time; all ages count from the timestamp inside the request.
 *
 * -D variants, each of which must break a claim:
 *   NO_WAIT         absence is believed at once
 *   NO_BOUND        the settle point forgets the clock error
 *   LAG_0           the settle point forgets that histories lag
 *   LONG_WINDOW     the venue takes requests for longer than the bot believes
 *   NO_WRITE_AHEAD  the request leaves before SENT is durable
 *   TIMEOUT_IS_NO   no answer is taken for a rejection
 *   ANY_ANSWER_IS_YES  an answer nobody can read is taken for a success
 *   NO_GIVING_UP    an intent that cannot be settled stays open for ever
 */

#define W 1 /* window [ticks] */
#define S 2 /* clock error, either way [ticks] */
#define L 2 /* from an effect to its row in the history, at most [ticks] */

#ifdef NO_WAIT
#define SETTLE (-9)
#elif defined(NO_BOUND)
#define SETTLE (W + L)
#elif defined(LAG_0)
#define SETTLE (W + S)
#else
#define SETTLE (W + S + L)
#endif

#ifdef LONG_WINDOW
#define TAKEN_FOR (W + 3)
#else
#define TAKEN_FOR W
#endif

#define GIVE_UP (W + S + L + 3) /* the bot has had time for two looks */
#define TRIES 3
#define CRASHES 2

/* The record on the disk. A restart finds these. */
mtype:record = {none, written, sent, confirmed, applied_, denied, gave_up};
mtype:record record = none;
byte tries = 0;

/* Memory of the running bot. A crash loses these. */
mtype:step = {idle, ready, waiting};
mtype:step step = idle;
bool planned = false;
bool looked = false;  /* one look found nothing */
bool ticked = false;  /* time passed since that look */
mtype:answer = {silence, yes, no, nonsense};
mtype:answer answer = silence;

/* The world. */
mtype:request = {unborn, signed, flying, taken, shown, gone};
mtype:request request[TRIES] = unborn;
byte age[TRIES] = 0;
short ahead[TRIES] = 0; /* our clock at signing minus the venue's */
byte unseen[TRIES] = 0; /* how long an effect is not in the history yet */
byte born = 0;
byte effects = 0;
byte crashes = 0;

#define current (born - 1)
#define finished (record == applied_ || record == denied || record == gave_up)
#define is_shown (request[0] == shown || request[1] == shown || request[2] == shown)
#define is_late(i) (request[i] == taken && unseen[i] >= L)

inline sign() {
    if
    :: born < TRIES ->
        request[born] = signed;
        age[born] = 0;
        if
        :: ahead[born] = -S
        :: ahead[born] = 0
        :: ahead[born] = S
        fi;
        born++;
        tries++;
        looked = false
    :: else -> record = gave_up
    fi
}

inline forget() {
    step = idle;
    planned = false;
    looked = false;
    answer = silence
}

active proctype Bot() {
    short error;
    do
    :: finished -> break

    :: atomic { record == none -> record = written; planned = true }
    /* Found after a restart: never sent, so the need is decided anew. */
    :: atomic { record == written && !planned -> record = none; tries = 0 }

#ifdef NO_WRITE_AHEAD
    :: atomic { record == written && planned && step == idle ->
        sign();
        if
        :: record == written -> request[current] = flying; step = ready
        :: else
        fi }
    :: atomic { record == written && step == ready -> record = sent; step = waiting }
#else
    :: atomic { record == written && planned ->
        record = sent;
        sign();
        if
        :: record == sent -> step = ready
        :: else
        fi }
    :: atomic { record == sent && step == ready -> request[current] = flying; step = waiting }
#endif

    :: atomic { step == waiting && answer == yes -> record = confirmed; step = idle }
    :: atomic { step == waiting && answer == no -> record = denied; step = idle }
#ifdef ANY_ANSWER_IS_YES
    :: atomic { step == waiting && answer == nonsense -> record = applied_; step = idle }
#else
    :: atomic { step == waiting && answer == nonsense -> step = idle }
#endif
#ifdef TIMEOUT_IS_NO
    :: atomic { step == waiting && answer == silence -> record = none; forget() }
#else
    :: atomic { step == waiting && answer == silence -> step = idle }
#endif

    /* The resolver. Evidence counts at once, absence after the settle point and from two looks. */
    :: atomic { (record == sent || record == confirmed) && step == idle && is_shown ->
        record = applied_ }
    :: atomic { (record == sent || record == confirmed) && step == idle && !is_shown &&
        age[current] < GIVE_UP ->
        if
        :: error = -S
        :: error = 0
        :: error = S
        fi;
        if
        :: age[current] - ahead[current] + error > SETTLE && !looked ->
            looked = true;
            ticked = false
        :: age[current] - ahead[current] + error > SETTLE && looked && ticked ->
            if
            :: tries < TRIES ->
                record = sent;
                sign();
                if
                :: record == sent -> step = ready
                :: else
                fi
            :: else -> record = gave_up
            fi
        :: true /* the read failed or was not complete: no evidence */
        fi;
        error = 0 }
#ifndef NO_GIVING_UP
    :: atomic { (record == sent || record == confirmed) && step == idle &&
        age[current] >= GIVE_UP -> record = gave_up } /* whatever a read might have shown */
#endif

    :: atomic { crashes < CRASHES ->
        crashes++;
        if
        :: born > 0 && request[current] == signed -> request[current] = gone
        :: else
        fi;
        forget() }
    od
}

inline reply(i, what) {
    if
    :: i == current && step == waiting -> answer = what
    :: true /* the answer is lost, or nobody waits any more */
    fi
}

inline carry(i) {
    if
    :: request[i] == flying -> request[i] = gone
    :: request[i] == flying -> request[i] = gone; reply(i, nonsense)
    :: request[i] == flying -> request[i] = gone; reply(i, no)
    :: request[i] == flying && age[i] <= TAKEN_FOR + ahead[i] ->
        request[i] = taken;
        unseen[i] = 0;
        effects++;
        if
        :: reply(i, yes)
        :: reply(i, nonsense)
        fi
    :: request[i] == taken -> request[i] = shown
    fi
}

active proctype Venue() {
end:
    do
    :: atomic { request[0] == flying || request[0] == taken -> carry(0) }
    :: atomic { request[1] == flying || request[1] == taken -> carry(1) }
    :: atomic { request[2] == flying || request[2] == taken -> carry(2) }
    od
}

active proctype Clock() {
    byte i;
end:
    do
    :: atomic { !is_late(0) && !is_late(1) && !is_late(2) ->
        for (i : 0 .. TRIES - 1) {
            if
            :: request[i] != unborn && age[i] < GIVE_UP + S -> age[i]++
            :: else
            fi;
            if
            :: request[i] == taken -> unseen[i]++
            :: else
            fi
        }
        i = 0;
        ticked = true }
    od
}

ltl safe { [] (effects <= 1) }
ltl live { <> finished }
ltl truth { [] (record == applied_ -> effects >= 1) }

/* Witnesses: each says that something cannot happen, and must be refuted. */
ltl never_applied { [] (record != applied_) }
ltl never_gave_up_with_effect { [] !(record == gave_up && effects == 1) }
ltl never_third_try_took_effect { [] !(tries == 3 && request[2] == taken) }
ltl never_crashed_twice_and_done { [] !(crashes == 2 && record == applied_) }
