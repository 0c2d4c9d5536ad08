"""How does Bybit v5 speak, and how is it listened to?"""
