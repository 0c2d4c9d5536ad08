"""How does the paper exchange speak the words of Bybit v5, a unified trading account?"""
