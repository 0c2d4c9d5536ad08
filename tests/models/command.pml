/* Does each signed command act at most once, never late, and never in another run of the bot?
 *
 * The broker is the adversary: once a command was published it may deliver it any number of
 * times, in any order, now or after a restart, with the retain flag or without. The signature is
 * taken for granted: nobody makes a body of his own. The operator signs two ordinary commands and
 * one kill, nonces ascending; kill acts in any run, the others in the run they were signed for.
 * The bot may restart, and be paused, between any two steps; each run has an epoch of its own.
 *
 * -D variants, each of which must break a claim:
 *   NONCE_IN_MEMORY   a restart forgets the last nonce
 *   RETAIN_ONLY       only the retain flag is refused
 *   ACT_BEFORE_NONCE  the command acts before its nonce is durable
 *   NO_EPOCH          the run a command was signed for is not compared
 *   NO_EXPIRY         the expiry is not compared
 *   ONE_LOOK          the expiry is not compared again once the nonce is durable
 *   EQUAL_NONCE       a nonce equal to the last one is accepted
 */

#define BODIES 3
#define EXPIRY 2 /* after issue [ticks] */
#define RUNS 3

/* The operator and the broker. */
bool is_published[BODIES] = false;
byte age[BODIES] = 0;
byte signed_for[BODIES] = 0;
byte kill_ = 0;  /* which of the bodies is the kill */
byte issued = 0; /* nonces are 1, 2, 3 */

/* Durable. */
byte last_nonce = 0;
byte epoch = 1;

/* Memory of the running bot. */
mtype:step = {idle, checked, kept, acted};
mtype:step step = idle;
byte body = 0;

/* What became of it. */
byte acts[BODIES] = 0;
bool acted_late = false;
bool acted_in_other_run = false;

#define is_kill(b) (b == kill_)
#define is_fresh(b) (age[b] <= EXPIRY)
#define nonce(b) (b + 1)

#if defined(RETAIN_ONLY)
#define accepts(b, retained) (!retained)
#else
#ifdef NO_EXPIRY
#define in_time(b) true
#else
#define in_time(b) is_fresh(b)
#endif
#ifdef NO_EPOCH
#define in_run(b) true
#else
#define in_run(b) (is_kill(b) || signed_for[b] == epoch)
#endif
#ifdef EQUAL_NONCE
#define in_order(b) (nonce(b) >= last_nonce)
#else
#define in_order(b) (nonce(b) > last_nonce)
#endif
#define accepts(b, retained) (!retained && in_time(b) && in_run(b) && in_order(b))
#endif

#if defined(ONE_LOOK) || defined(RETAIN_ONLY) || defined(NO_EXPIRY)
#define still_in_time(b) true
#else
#define still_in_time(b) is_fresh(b)
#endif

inline act() {
    if
    :: still_in_time(body) ->
        acts[body]++;
        acted_late = acted_late || !is_fresh(body);
        acted_in_other_run = acted_in_other_run || (!is_kill(body) && signed_for[body] != epoch)
    :: else
    fi
}

inline deliver(b) {
    if
    :: accepts(b, true) -> body = b; step = checked  /* the flag is set */
    :: accepts(b, false) -> body = b; step = checked /* a queued or relayed copy */
    :: true                                          /* refused or not delivered */
    fi
}

active proctype Bot() {
end:
    do
    :: atomic { step == idle && is_published[0] -> deliver(0) }
    :: atomic { step == idle && is_published[1] -> deliver(1) }
    :: atomic { step == idle && is_published[2] -> deliver(2) }
#ifdef ACT_BEFORE_NONCE
    :: atomic { step == checked -> act(); step = acted }
    :: atomic { step == acted -> last_nonce = nonce(body); step = idle; body = 0 }
#else
    :: atomic { step == checked -> last_nonce = nonce(body); step = kept }
    :: atomic { step == kept -> act(); step = idle; body = 0 }
#endif
    :: atomic { epoch < RUNS -> /* a crash and the next start */
        epoch++;
        step = idle;
        body = 0;
#ifdef NONCE_IN_MEMORY
        last_nonce = 0
#endif
    }
    od
}

active proctype Operator() {
    atomic {
        if
        :: kill_ = 0
        :: kill_ = 1
        :: kill_ = 2
        fi
    }
    do
    :: atomic { issued < BODIES ->
        is_published[issued] = true;
        signed_for[issued] = epoch;
        issued++ }
    :: issued == BODIES -> break
    od
}

active proctype Clock() {
    byte b;
end:
    do
    :: atomic {
        for (b : 0 .. BODIES - 1) {
            if
            :: is_published[b] && age[b] <= EXPIRY -> age[b]++
            :: else
            fi
        }
        b = 0 }
    od
}

ltl once { [] (acts[0] <= 1 && acts[1] <= 1 && acts[2] <= 1) }
ltl fresh { [] !acted_late }
ltl same_run { [] !acted_in_other_run }

/* Witnesses: each says that something cannot happen, and must be refuted. */
ltl never_all_act { [] !(acts[0] == 1 && acts[1] == 1 && acts[2] == 1) }
ltl never_kill_of_an_earlier_run { [] !(acts[2] == 1 && kill_ == 2 && signed_for[2] == 1 && epoch == 2) }
ltl never_a_nonce_without_act { [] !(last_nonce == 3 && acts[2] == 0 && step == idle) }
