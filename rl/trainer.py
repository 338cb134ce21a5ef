"""The mirror-learning loop: collect, estimate advantages, update; a pure function of its state."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from rl.advantages import generalised_advantages
from rl.config import TrainerConfig
from rl.density import Density
from rl.density import empty as empty_density
from rl.density import record as record_density
from rl.drifts import DriftApply
from rl.environments import Episodes, EpisodeState, Task
from rl.evaluation import Evaluation, evaluate_policy
from rl.loss import LossTerms, loss_terms, mirror_loss, normalise_advantage
from rl.metrics import UpdateMetrics
from rl.minibatches import Decisions, Unrolls, decisions, estimated, packed, unrolls
from rl.networks import ActorCritic, Parameters, Perceptron
from rl.normalisation import Moments, empty, normalise, update
from rl.policies import Policy, policy_for
from rl.rollout import Rollout, collect
from rl.shuffle import random_order
from rl.turns import in_turn_on_cpu


class TrainState(NamedTuple):
    """Everything that training goes on from; saved whole, it goes on bit for bit."""

    parameters: Parameters
    optimiser: Any
    observations: Moments
    episodes: EpisodeState
    discounted_return: Float[Array, "num_envs"]
    returns: Moments
    """Of discounted returns, whose spread scales rewards where that is asked for."""
    density: Density
    updates: Int[Array, ""]
    key: PRNGKeyArray


class Trainer:
    """Trains one agent of a configuration in a task; `vmap` its methods for many.

    `drift` is called as drift(parameters, log_ratio, advantage, progress).
    """

    def __init__(self, task: Task, config: TrainerConfig, drift: DriftApply) -> None:
        self.config, self.drift = config, drift
        self.episodes = Episodes(task, config.num_envs, config.action_repeat)
        self.eval_episodes = Episodes(task, config.num_eval_envs, config.action_repeat)
        self.policy: Policy = policy_for(task.actions)
        shared = {"activation": config.activation, "initialiser": config.initialiser}
        self.networks = ActorCritic(
            policy=Perceptron(
                config.policy_hidden, self.policy.num_outputs, output_scale=0.01, **shared
            ),
            value=Perceptron(config.value_hidden, 1, output_scale=1.0, **shared),
        )
        self.optimiser = _optimiser(config)
        # Traced once, however often it is batched.
        self._learn = in_turn_on_cpu(jax.jit(self._epochs))

    def init(self, key: PRNGKeyArray) -> TrainState:
        """A fresh agent and fresh episodes."""
        network_key, episode_key, key = jax.random.split(key, 3)
        size = self.episodes.task.observation_size
        parameters = self.networks.init(network_key, size)
        return TrainState(
            parameters=parameters,
            optimiser=self.optimiser.init(parameters),
            observations=empty(size),
            episodes=self.episodes.reset(episode_key),
            discounted_return=jnp.zeros(self.config.num_envs),
            returns=empty(1),
            density=empty_density(),
            updates=jnp.zeros((), jnp.int32),
            key=key,
        )

    def update(self, drift_parameters: Any, state: TrainState) -> tuple[TrainState, UpdateMetrics]:
        """One rollout and the epochs over it."""
        rollout_key, epochs_key, density_key, key = jax.random.split(state.key, 4)
        episodes, rollout = collect(
            self.networks,
            self.policy,
            self.episodes,
            state.parameters,
            state.observations,
            state.episodes,
            rollout_key,
            steps=self.config.steps_per_rollout,
        )
        observations = state.observations
        if self.config.normalise_observations:
            observations = update(observations, rollout.observation)
        discounted, returns, reward = self._scaled_rewards(state, rollout)
        advantage = generalised_advantages(
            reward,
            rollout.value,
            rollout.next_value,
            rollout.terminated,
            rollout.truncated,
            discount=self.config.discount,
            gae_lambda=self.config.gae_lambda,
            unroll_length=self.config.unroll_length,
        )
        progress = state.updates.astype(jnp.float32) / self.config.num_updates
        rows = self._rows(state.observations, rollout, episodes.observation, reward, advantage)
        parameters, optimiser, terms, grad_norm, pairs = self._learn(
            drift_parameters, state.parameters, state.optimiser, rows, progress, epochs_key
        )
        metrics = UpdateMetrics.of(rollout, advantage, terms, grad_norm, parameters)
        after = TrainState(
            parameters=parameters,
            optimiser=optimiser,
            observations=observations,
            episodes=episodes,
            discounted_return=discounted,
            returns=returns,
            density=record_density(state.density, density_key, state.updates, pairs, progress),
            updates=state.updates + 1,
            key=key,
        )
        return after, metrics

    def evaluate(self, state: TrainState, key: PRNGKeyArray) -> Evaluation:
        """Whole episodes with the present policy; nothing of the training changes."""
        return evaluate_policy(
            self.networks,
            self.policy,
            self.eval_episodes,
            state.parameters,
            state.observations,
            key,
        )

    def _scaled_rewards(
        self, state: TrainState, rollout: Rollout
    ) -> tuple[Array, Moments, Float[Array, "time num_envs"]]:
        """(discounted returns under way, their moments, rewards as learning sees them)."""
        reward = rollout.reward * self.config.reward_scaling
        if not self.config.normalise_rewards:
            return state.discounted_return, state.returns, reward

        def onward(running: Array, step: tuple[Array, Array]) -> tuple[Array, Array]:
            reward, done = step
            running = running * self.config.discount + reward
            return jnp.where(done, 0.0, running), running

        done = rollout.terminated | rollout.truncated
        running, seen = jax.lax.scan(onward, state.discounted_return, (reward, done))
        returns = update(state.returns, seen[..., None])
        return running, returns, reward / returns.std[0]

    def _rows(
        self,
        observations: Moments,
        rollout: Rollout,
        next_observation: Float[Array, "num_envs observation"],
        reward: Float[Array, "time num_envs"],
        advantage: Float[Array, "time num_envs"],
    ) -> Decisions | Unrolls:
        """What the epochs shuffle."""
        observation = normalise(observations, rollout.observation)
        if not self.config.refresh_advantages:
            return decisions(rollout, observation, advantage)
        return unrolls(
            rollout,
            observation,
            normalise(observations, next_observation),
            reward,
            unroll_length=self.config.unroll_length,
        )

    def _epochs(
        self,
        drift_parameters: Any,
        parameters: Parameters,
        optimiser: Any,
        batch: Decisions | Unrolls,
        progress: Array,
        key: PRNGKeyArray,
    ) -> tuple[Parameters, Any, LossTerms, Array, tuple[Array, Array]]:
        """All epochs; terms and gradient norms have axes (epochs, minibatches)."""
        config = self.config
        rows, unpack = packed(batch)
        loss = jax.value_and_grad(self._loss, has_aux=True)

        def minibatch_step(
            carry: tuple[Parameters, Any], inputs: tuple[Array, PRNGKeyArray]
        ) -> tuple[tuple[Parameters, Any], tuple[LossTerms, Array, tuple[Array, Array]]]:
            parameters, optimiser = carry
            rows, key = inputs
            (_, (terms, pairs)), gradient = loss(
                parameters, drift_parameters, unpack(rows), progress, key
            )
            updates, optimiser = self.optimiser.update(gradient, optimiser, parameters)
            parameters = optax.apply_updates(parameters, updates)
            return (parameters, optimiser), (terms, optax.tree.norm(gradient), pairs)

        def epoch(
            carry: tuple[Parameters, Any], key: PRNGKeyArray
        ) -> tuple[tuple[Parameters, Any], tuple[LossTerms, Array, tuple[Array, Array]]]:
            shuffle_key, loss_key = jax.random.split(key)
            order = random_order(shuffle_key, rows.shape[0])
            shuffled = jnp.take(rows, order, axis=0, unique_indices=True, mode="clip")
            minibatches = shuffled.reshape(config.num_minibatches, -1, rows.shape[-1])
            keys = jax.random.split(loss_key, config.num_minibatches)
            return jax.lax.scan(minibatch_step, carry, (minibatches, keys))

        (parameters, optimiser), (terms, grad_norm, pairs) = jax.lax.scan(
            epoch, (parameters, optimiser), jax.random.split(key, config.update_epochs)
        )
        return parameters, optimiser, terms, grad_norm, pairs

    def _loss(
        self,
        parameters: Parameters,
        drift_parameters: Any,
        rows: Decisions | Unrolls,
        progress: Array,
        key: PRNGKeyArray,
    ) -> tuple[Array, tuple[LossTerms, tuple[Array, Array]]]:
        """The loss of one minibatch, its terms, and the (log_ratio, advantage) it saw."""
        outputs = self.networks.outputs(parameters, rows.observation)
        value = self.networks.values(parameters, rows.observation)
        log_ratio = self.policy.log_prob(outputs, rows.raw_action) - rows.log_prob
        estimate, target = self._estimates(parameters, rows, value)
        advantage = normalise_advantage(estimate)

        def drift(log_ratio: Array, advantage: Array, progress: Array) -> Array:
            return self.drift(drift_parameters, log_ratio, advantage, progress)

        policy_loss, penalty = mirror_loss(
            log_ratio.reshape(-1), advantage.reshape(-1), progress, drift
        )
        value_loss = 0.5 * jnp.mean(jnp.square(value - target))
        noise = self.policy.noise(key, rows.log_prob.shape)
        entropy = jnp.mean(self.policy.entropy(outputs, noise))
        loss = (
            policy_loss + self.config.value_cost * value_loss - self.config.entropy_cost * entropy
        )
        terms = loss_terms(policy_loss, value_loss, entropy, log_ratio.reshape(-1), penalty)
        return loss, (terms, (log_ratio, advantage))

    def _estimates(
        self, parameters: Parameters, rows: Decisions | Unrolls, value: Array
    ) -> tuple[Array, Array]:
        """(advantages, targets of the critic), no gradient flowing through them."""
        if isinstance(rows, Decisions):
            return rows.advantage, rows.target
        last_value = self.networks.values(parameters, rows.next_observation)
        return estimated(
            rows,
            jax.lax.stop_gradient(value),
            jax.lax.stop_gradient(last_value),
            discount=self.config.discount,
            gae_lambda=self.config.gae_lambda,
        )


def _optimiser(config: TrainerConfig) -> optax.GradientTransformation:
    rate: float | optax.Schedule = config.learning_rate
    if config.anneal_learning_rate:
        steps = config.num_updates * config.update_epochs * config.num_minibatches
        rate = optax.linear_schedule(config.learning_rate, 0.0, steps)
    adam = optax.adam(rate, eps=config.adam_epsilon)
    if config.max_grad_norm is None:
        return adam
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), adam)
