/* Can two instances of the bot both move money?
 *
 * Two instances share a lease. Each may be paused between any two of its steps for any time, also
 * for ever, and reads the time with an error of up to S. A request carries the timestamp of its
 * signing; the venue refuses it when its window is over, and that is the only fence there is.
 *
 * The lease is looked at twice: when an action is planned, and after signing, last before the
 * first byte, when more than W + S must be left of it. A successor waits W + S beyond the expiry.
 *
 * -D variants, each of which must break a claim:
 *   CHECK_AT_PLANNING    no last look
 *   NO_WAIT              the successor acts as soon as the lease is over
 *   ANY_LEFT             the last look is content with a lease that is not over
 *   NO_WINDOW            the venue takes a request at any time (class N)
 *   SIGNED_AFTER_LOOK    the last look comes before the timestamp is fixed
 *   ENDLESS              the lease never expires
 */

#define W 1
#define S 1
#define LEASE (W + S + 2)

#ifdef NO_WAIT
#define WAIT 0
#else
#define WAIT (W + S)
#endif

#ifdef ANY_LEFT
#define LEFT 0
#else
#define LEFT (W + S)
#endif

#define LONG_OVER (-(W + S + S + 1))
#define EPOCHS 3

/* The shared journal. */
byte holder = 0;
byte epoch = 1;

/* What an instance knows: what is left of its own lease, and the epoch it acts in. */
short left[2] = LEASE;
byte mine[2] = 0;
bool is_stopped[2] = false;

/* Requests: one at a time for each instance. */
mtype:request = {none, signed, flying};
mtype:request request[2] = none;
short age[2] = 0;
short ahead[2] = 0;
byte of_epoch[2] = 0;

byte newest = 0; /* epoch of the latest effect */
bool overlapped = false;

inline read_clock(error) {
    if
    :: error = -S
    :: error = 0
    :: error = S
    fi
}

/* A clock that is `error` ahead sees that much less of a lease. */
inline take_or_renew() {
    atomic {
        !is_stopped[me] -> read_clock(error);
        if
        :: holder == me -> left[me] = LEASE
#ifndef ENDLESS
        :: holder != me && left[holder] - error < -WAIT && epoch < EPOCHS ->
            holder = me;
            epoch++;
            mine[me] = epoch;
            left[me] = LEASE
#endif
        :: else
        fi;
        error = 0
    }
}

inline sign() {
    atomic {
        request[me] = signed;
        of_epoch[me] = mine[me];
        age[me] = 0;
        read_clock(ahead[me])
    }
}

inline last_look(passed) {
#ifdef CHECK_AT_PLANNING
    passed = true
#else
    atomic {
        read_clock(error);
        passed = left[me] - error > LEFT;
        error = 0
    }
#endif
}

proctype Instance(byte me) {
    short error = 0;
    bool passed = false;
    do
    :: is_stopped[me] -> break
    :: take_or_renew()
    /* Plan. */
    :: atomic { !is_stopped[me] && mine[me] > 0 && left[me] > LEFT && request[me] == none -> passed = true };
#ifdef SIGNED_AFTER_LOOK
        last_look(passed);
        sign();
#else
        sign();
        last_look(passed);
#endif
        atomic {
            if
            :: passed && !is_stopped[me] -> request[me] = flying
            :: else -> request[me] = none
            fi;
            passed = false
        }
    od
}

#ifdef NO_WINDOW
#define in_window(i) true
#else
#define in_window(i) (age[i] <= W + ahead[i])
#endif

inline carry(i) {
    if
    :: request[i] = none /* lost, or refused for its window */
    :: in_window(i) ->
        if
        :: of_epoch[i] < newest -> overlapped = true
        :: else -> newest = of_epoch[i]
        fi;
        request[i] = none
    fi
}

active proctype Venue() {
end:
    do
    :: atomic { request[0] == flying -> carry(0) }
    :: atomic { request[1] == flying -> carry(1) }
    od
}

active proctype Clock() {
    byte i;
end:
    do
    :: atomic {
        for (i : 0 .. 1) {
            if
            :: left[i] > LONG_OVER -> left[i]--
            :: else
            fi;
            if
            :: request[i] != none && age[i] < W + S + 1 -> age[i]++
            :: else
            fi
        }
        i = 0 }
    od
}

/* One instance may be stopped for good at any time. */
active proctype Stopper() {
end:
    atomic { true -> is_stopped[0] = true }
}

init {
    atomic {
        mine[0] = 1;
        left[1] = LONG_OVER;
        run Instance(0);
        run Instance(1)
    }
}

ltl one_writer { [] !overlapped }
ltl progress { [] ((is_stopped[0] && holder == 0 && epoch < EPOCHS) -> <> (holder == 1)) }

/* Witnesses: each says that something cannot happen, and must be refuted. */
ltl never_second_epoch_writes { [] (newest < 2) }
ltl never_third_epoch_writes { [] (newest < 3) }
ltl never_late_flight { [] !(request[0] == flying && epoch == 2) }
