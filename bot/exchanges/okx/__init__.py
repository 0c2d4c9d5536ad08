"""How does OKX speak, and how is it listened to?"""
