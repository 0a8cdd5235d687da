"""The one room where spec and implementation meet: is every step of the core one of the spec?"""
