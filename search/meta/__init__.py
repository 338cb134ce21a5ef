"""Meta-training: drift networks found by evolution strategies (Learnt Policy Optimisation).

Source: Lu et al. 2022, sections 4 and 5.
"""
