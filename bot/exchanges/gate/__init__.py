"""How does Gate speak, and how is it listened to?"""
