"""Which tests concern which module?"""

GUARD = (
    "tests/unit/test_steps.py",
    "tests/unit/guard",
    "tests/unit/execute",
    "tests/unit/test_judge.py",
    "tests/property/test_arithmetic_laws.py",
    "tests/property/test_guard_laws.py",
)
REVIEW = (
    "tests/unit/rebalance",
    "tests/property/test_planning_laws.py",
    "tests/property/test_backstop_laws.py",
)
INTENTS = (
    "tests/unit/domain/test_intent.py",
    "tests/unit/execute",
    "tests/unit/test_execute.py",
    "tests/unit/loop",
)
BOOKS = (
    "tests/unit/execute/test_books_limits.py",
    "tests/unit/execute/test_looking_limits.py",
    "tests/unit/execute/test_transit_limits.py",
    "tests/unit/books",
    "tests/unit/test_bookkeeper.py",
    "tests/unit/test_foreign.py",
    "tests/property/test_books_laws.py",
)
ARITHMETIC = (
    "tests/property/test_arithmetic_laws.py",
    "tests/unit/books",
    "tests/unit/guard",
    "tests/unit/execute",
)
DENIAL = (
    "tests/unit/execute/test_denial.py",
    "tests/unit/guard",
    "tests/unit/execute/test_guard_limits.py",
    "tests/property/test_guard_laws.py",
)
DECIDING = (
    "tests/unit/rebalance/test_decide.py",
    "tests/unit/rebalance/test_decide_giving_back.py",
    "tests/unit/rebalance/test_decide_protecting.py",
)
INVERSE = "tests/unit/rebalance/test_inverse.py"
SIZES = (
    "tests/unit/rebalance",
    "tests/property/test_planning_laws.py",
    "tests/property/test_reducing_laws.py",
)
STOPS = (
    "tests/unit/rebalance/test_backstop.py",
    INVERSE,
    "tests/property/test_backstop_laws.py",
)
MEMORY = (
    "tests/unit/rebalance/test_memory.py",
    "tests/unit/rebalance/test_claims.py",
    "tests/unit/rebalance/test_decide_giving_back.py",
    "tests/unit/loop",
    "tests/unit/test_judge.py",
    "tests/property/test_claims_laws.py",
)
SHARING = (
    "tests/unit/rebalance/test_sharing.py",
    "tests/property/test_sharing_laws.py",
    *DECIDING,
)
PLAN = (
    "tests/unit/rebalance/test_plan.py",
    "tests/unit/rebalance/test_sharing.py",
    "tests/unit/rebalance/test_reducing.py",
    INVERSE,
    *DECIDING,
)
REDUCING = (
    "tests/unit/rebalance/test_reducing.py",
    "tests/property/test_planning_laws.py",
    "tests/property/test_reducing_laws.py",
    INVERSE,
    *DECIDING,
)
RETURNING = ("tests/property/test_planning_laws.py", INVERSE, *DECIDING)
CHOOSE = ("tests/unit/rebalance/test_choose.py", "tests/property/test_strategy_laws.py")
TIMING = ("tests/unit/books", "tests/unit/test_execute.py", "tests/unit/execute")
MARGIN = (
    "tests/unit/margin/test_legs.py",
    "tests/unit/margin/test_account.py",
    "tests/unit/margin/test_release.py",
    "tests/unit/margin/test_rates.py",
    "tests/unit/margin/test_by_rule.py",
    "tests/unit/margin/test_vectors.py",
    "tests/unit/margin/test_linear.py",
    "tests/unit/margin/test_inverse.py",
    "tests/unit/margin/test_grossed_margin.py",
    "tests/unit/margin/test_bands.py",
    "tests/property/test_margin_laws.py",
    "tests/property/test_margin_engine_laws.py",
)
LEASE = (
    "tests/property/test_lease_laws.py",
    "tests/unit/loop/test_lease.py",
    "tests/contract/test_lease.py",
)
JUDGE = (
    "tests/unit/test_judge.py",
    "tests/unit/test_execute.py",
    "tests/unit/execute",
    "tests/property/test_plan_passes_guard.py",
)
TARGETS = {
    "bot.execute.guard": GUARD,
    "bot.execute.budgets": GUARD,
    "bot.execute.effect": GUARD,
    "bot.execute.steps": GUARD,
    "bot.execute.facts": GUARD,
    "bot.execute.denial": DENIAL,
    "bot.execute.arithmetic": ARITHMETIC,
    "bot.execute.books": BOOKS,
    "bot.execute.looking": BOOKS,
    "bot.execute.transit": BOOKS,
    "bot.execute.foreign": BOOKS,
    "bot.execute.bookkeeper": BOOKS,
    "bot.domain.ledger": ("tests/unit/domain/test_ledger.py", *BOOKS),
    "bot.execute.fingerprint": JUDGE,
    "bot.execute.judge": JUDGE,
    "bot.execute.gate": ("tests/unit/test_execute.py", "tests/unit/loop"),
    "bot.execute.perform": INTENTS,
    "bot.execute.news": ("tests/unit/test_news.py", "tests/unit/loop"),
    "bot.execute.resolve": INTENTS,
    "bot.domain.intent": INTENTS,
    "bot.rebalance.review": REVIEW,
    "bot.rebalance.review_stops": REVIEW,
    "bot.rebalance.sharing": SHARING,
    "bot.rebalance.reducing": REDUCING,
    "bot.rebalance.returning": RETURNING,
    "bot.rebalance.planned": RETURNING,
    "bot.rebalance.choose": CHOOSE,
    "bot.rebalance.plan": PLAN,
    "bot.rebalance.sizing": SIZES,
    "bot.rebalance.urgency": SIZES,
    "bot.rebalance.project": SIZES,
    "bot.rebalance.decide": (*PLAN, "tests/property/test_backstop_laws.py"),
    "bot.rebalance.screen": SIZES,
    "bot.rebalance.currency": SIZES,
    "bot.rebalance.owner": SIZES,
    "bot.rebalance.policy": SIZES,
    "bot.rebalance.rounding": SIZES,
    "bot.rebalance.book": SIZES,
    "bot.rebalance.backstop": STOPS,
    "bot.rebalance.claims": MEMORY,
    "bot.rebalance.memory": MEMORY,
    "bot.rebalance.remembering": MEMORY,
    "bot.rebalance.disputes": MEMORY,
    "bot.rebalance.lines": (
        "tests/property/test_line_laws.py",
        "tests/unit/loop/test_pace.py",
        "tests/unit/loop/test_rest.py",
    ),
    "bot.domain.timing": TIMING,
    "bot.domain.lease": LEASE,
    "bot.margin.curve": MARGIN,
    "bot.margin.solver": MARGIN,
    "bot.margin.legs": MARGIN,
    "bot.margin.lone": MARGIN,
    "bot.margin.account": MARGIN,
    "bot.margin.backing": MARGIN,
    "bot.margin.assess": MARGIN,
    "bot.margin.isolated": MARGIN,
    "bot.margin.bands": MARGIN,
    "bot.margin.tiers": MARGIN,
    "bot.margin.rules": ("tests/unit/margin/test_rules.py", *MARGIN),
    "bot.margin.venues": (
        "tests/unit/margin/test_rules.py",
        "tests/unit/margin/test_recorded_positions.py",
        *MARGIN,
    ),
    "bot.margin.blackout": (
        "tests/unit/margin/test_blackout.py",
        "tests/property/test_backstop_laws.py",
        "tests/unit/rebalance/test_backstop.py",
    ),
    "bot.margin.by_rule": MARGIN,
    "bot.margin.rates": MARGIN,
    "bot.margin.release": MARGIN,
}
