"""
Prompts: from files to templates, from templates to messages, and over MCP.
"""
