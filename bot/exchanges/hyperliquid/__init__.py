"""How does Hyperliquid speak, and how is it listened to?"""
