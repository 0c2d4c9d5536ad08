"""How does Binance speak, and how is it listened to?"""
